/**
 * What others build on: the OpenAPI document passes a linter, and a client that is generated from it compiles and runs
 * the whole life of a job; the metrics of edge and transcoder pass a parser, the documentation tells all of them, and
 * the alert rules name no others.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parser as promQl } from '@prometheus-io/lezer-promql';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { execa } from 'execa';
import parseMetrics from 'parse-prometheus-text-format';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { serveStatus } from '../../transcoder-node/status.ts';
import { ROOT, System } from './system.ts';

const CLIENT = join(ROOT, 'test/api-client');

let system: System;
let folder: string;

beforeAll(async () => {
  [system, folder] = await Promise.all([System.start(), mkdtemp(join(tmpdir(), 'reelwire-reference-'))]);
});
afterAll(async () => {
  await system?.stop();
  await rm(folder, { recursive: true, force: true });
});

const text = async (address: string): Promise<string> => (await fetch(address)).text();

describe('the OpenAPI document', () => {
  /** The rules that a document breaks. */
  async function lint(source: string): Promise<string[]> {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source, absoluteRef: join(folder, 'openapi.json'), config });
    return problems.filter(({ severity }) => severity === 'error').map(({ ruleId }) => ruleId);
  }

  test('passes the linter, which finds what is wrong', async () => {
    const document = await text(`${system.url}/openapi.json`);
    expect(await lint(document)).toEqual([]);
    expect(await lint(document.replace('"#/components/schemas/Job"', '"#/components/schemas/Nob"'))).toEqual([
      'no-unresolved-refs',
    ]);
  });

  test('makes a client with which a job lives its whole life', async () => {
    const types = join(folder, 'reelwire-api.d.ts');
    const generator = join(CLIENT, 'node_modules/openapi-typescript/bin/cli.js');
    await execa(process.execPath, [generator, `${system.url}/openapi.json`, '-o', types]);
    const program = join(CLIENT, 'life.ts');
    const compiled = async (files: string[]): Promise<string> => {
      const compilerOptions = { paths: { 'reelwire-api': [types] }, typeRoots: [join(ROOT, 'node_modules/@types')] };
      const project = join(folder, 'tsconfig.json');
      await writeFile(
        project,
        JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [] }),
      );
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      return (await execa(process.execPath, [tsc, '-p', project], { all: true, reject: false })).all;
    };
    const wrong = join(folder, 'wrong.ts');
    await writeFile(
      wrong,
      `import type { paths } from 'reelwire-api';\nexport type Wrong = paths['/jobs/{nobody}'];\n`,
    );
    expect((await compiled([program, wrong])).match(/^.*error TS.*$/gm)).toEqual([
      expect.stringMatching(/wrong\.ts.*'\/jobs\/\{nobody\}' does not exist/),
    ]);
    const { stdout } = await execa(process.execPath, [program, system.url]);
    expect(stdout.split('\n')).toEqual([
      ...['submitted, status: pending', 'quality: standard'],
      ...['followed, progress: true', 'followed, playable: true', 'followed, complete: true', 'status: completed'],
      ...['outputs, begin: #EXTM3U', 'events, first: 2'],
      expect.stringMatching(/^list: /),
      ...['cancelled: cancelled', 'retried: pending', 'retried again: invalid_state', 'deleted: deleted'],
      'after that: job_not_found',
    ]);
  });
});

const Families = z.array(
  z.object({ name: z.string(), help: z.string(), type: z.string(), metrics: z.array(z.unknown()) }),
);
type Families = z.infer<typeof Families>;

async function scrapeAll(): Promise<Families> {
  const status = await serveStatus({ host: '127.0.0.1', port: 0 }, folder);
  try {
    const addresses = [system.url, `http://127.0.0.1:${status.port}`];
    const texts = await Promise.all(addresses.map((address) => text(`${address}/metrics`)));
    return texts.flatMap((each) => Families.parse(parseMetrics(each)));
  } finally {
    await status.close();
  }
}

/** The names as they stand in a scrape: a histogram has three. */
const seriesOf = ({ name, type }: Families[number]): string[] =>
  type === 'HISTOGRAM' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];

/** The metrics that an expression reads; rejects one that is no PromQL. */
function namesIn(expression: string): string[] {
  const names: string[] = [];
  promQl.parse(expression).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`No PromQL at ${from}: ${expression}`);
      if (type.name === 'Identifier') names.push(expression.slice(from, to));
    },
  });
  return names;
}

const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Reelwire/),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.strictObject({ summary: z.string(), action: z.string() }),
        }),
      ),
    }),
  ),
});

describe('metrics', () => {
  test('are all told in the documentation, and no others', async () => {
    const families = await scrapeAll();
    const document = await readFile(join(ROOT, 'docs/operations.md'), 'utf8');
    const rows = [...document.matchAll(/^\| `(reelwire_\w+)`[^|]*\| (\w+) \| (.+) \|$/gm)];
    const told = rows.map(([, name = '', type = '', help = '']) => ({ name, type: type.toUpperCase(), help }));
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    expect(told.sort(byName)).toEqual(families.map(({ name, type, help }) => ({ name, type, help })).sort(byName));
    expect(families.every(({ metrics }) => metrics.length > 0)).toBe(true);
  });

  test('are all that the alert rules name', async () => {
    const { groups } = Rules.parse(parseYaml(await readFile(join(ROOT, 'docs/alerts.yml'), 'utf8')));
    const named = groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => namesIn(expr)));
    const there = new Set((await scrapeAll()).flatMap(seriesOf));
    expect(named.filter((name) => !there.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(groups.flatMap(({ rules }) => rules).length - 1);
    expect(namesIn('sum by (le) (rate(nobody_counts{code="x"}[5m]))')).toEqual(['nobody_counts']);
    expect(() => namesIn('sum by (')).toThrow('No PromQL');
  });
});
