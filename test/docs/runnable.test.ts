/**
 * What the README and the pages tell people to type works: every block is marked and run here, page by page from the
 * top, against one real edge and transcoder, or it is in the list of those that are not, with the reason.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NewApiKey } from '../../src/contract/access.ts';
import { ROOT } from '../../tools/paths.mjs';
import { follow } from '../e2e/follow.ts';
import { file, SourceServer } from '../e2e/source-server.ts';
import { System } from '../e2e/system.ts';
import { Clips, QUICK, testPicture, testTone } from '../transcoder/clips.ts';
import { NOT_RUN } from './not-run.ts';
import { type Block, Page } from './pages.ts';
import { type Place, Reader } from './reader.ts';
import { Workshop } from './workshop.ts';

const LEAST = 30;
const LIMIT_MS = 60_000;
const RUNNABLE = ['sh', 'ts', 'mjs'];

const blocks = (await Page.all()).flatMap((page) => page.blocks);
const isRun = ({ mark }: Block): boolean => mark === 'run' || mark === 'serve';
const marked = blocks.filter(isRun);
const firstLine = ({ text }: Block): string => text.split('\n', 1)[0] ?? '';

let system: System;
let clips: Clips;
let videos: SourceServer;
let place: Place;
beforeAll(async () => {
  [system, clips, videos] = await Promise.all([
    System.start({ ALLOW_PRIVATE_URLS: '1' }),
    Clips.open(),
    SourceServer.start(),
  ]);
  await system.transcoder();
  const video = await clips.make('small.mp4', ...testPicture('128x96', '25', 1), ...testTone(1), ...QUICK);
  const bytes = new Uint8Array(await clips.read(video));
  videos.at('/clip.mp4', file(bytes));
  const job = await system.submit(bytes);
  await follow(`${system.url}/jobs/${job}/stream`);
  const body = JSON.stringify({ name: 'docs', role: 'admin' });
  const { key } = NewApiKey.parse(await (await fetch(`${system.url}/keys`, { method: 'POST', body })).json());
  place = { edge: system.url, workshop: await Workshop.open(video), videos: videos.url, job, key };
}, LIMIT_MS);
afterAll(() => Promise.all([system?.stop(), clips?.close(), videos?.close(), place?.workshop.close()]));

test('every block is marked, or is listed with the reason why it is not run', () => {
  const unmarked = blocks.filter(({ mark }) => mark === null);
  const listed = Object.entries(NOT_RUN).flatMap(([page, all]) => all.map((one) => [page, ...one] as const));
  const named = listed.map(([page, begins]) =>
    unmarked.filter((block) => block.page === page && firstLine(block).startsWith(begins)),
  );
  const nameOf = ({ page, line }: Block) => `${page}:${line}`;
  expect(unmarked.filter((block) => !named.flat().includes(block)).map(nameOf)).toEqual([]);
  expect(listed.filter((_, i) => named[i]?.length !== 1)).toEqual([]);
  const tests = listed.map(([, , because]) => because).filter((because) => because.startsWith('test/'));
  expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('what is marked can be run, and it is a good part', () => {
  expect(marked.filter(({ language }) => !RUNNABLE.includes(language))).toEqual([]);
  expect(marked.length).toBeGreaterThanOrEqual(LEAST);
});

test('every TypeScript example compiles', { timeout: LIMIT_MS }, async () => {
  const examples = blocks.filter(({ language, page }) => /^tsx?$/.test(language) && page !== 'docs/migrating.md');
  const wrong = { page: 'wrong', line: 1, language: 'ts', text: "const n: number = 'one';\n", mark: null };
  const complaints = await place.workshop.complaints([...examples, wrong]);
  expect(complaints.trimEnd().split('\n')).toEqual([expect.stringMatching(/^wrong-1.*'string' is not assignable/)]);
});

describe.each([...new Set(marked.map(({ page }) => page))])('%s', (page) => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await Reader.of(place);
  });
  afterAll(() => reader?.close());

  const all = blocks.filter((block) => block.page === page);
  const steps = all.flatMap((block, i) => (isRun(block) ? [{ block, next: all[i + 1] }] : []));
  test.each(steps.map(({ block, next }) => [block.line, firstLine(block), block, next] as const))(
    'line %i: %s',
    { timeout: LIMIT_MS },
    async (_, __, block, next) => {
      if (block.mark === 'serve') return reader.serve(block);
      await reader.run(block);
      reader.hear(next?.mark === 'answer' ? next : undefined);
    },
  );
});
