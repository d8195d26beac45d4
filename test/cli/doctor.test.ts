/** `reelwire doctor`: it finds what is wrong with the machine, the edge, the key and the clock, and says how to mend it. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { verdict } from '../../cli/commands/doctor.ts';
import { checkEdge } from '../../cli/doctor/edge.ts';
import { connect } from '../../cli/settings.ts';
import manifest from '../../package.json' with { type: 'json' };
import { makeKey } from '../../src/contract/access.ts';
import { addKey } from '../e2e/add-key.ts';
import { System } from '../e2e/system.ts';
import { Command } from './command.ts';

const Check = z.object({
  ...{ check: z.string(), found: z.string(), mend: z.string().nullable() },
  status: z.enum(['ok', 'warn', 'fail', 'skip']),
});
type Check = z.infer<typeof Check>;

let system: System;
let key: string;
let folder: string;
let server: Server | null = null;
beforeAll(async () => {
  system = await System.start({ REELWIRE_OPEN: '', TOKEN_SECRET: 'a-token-secret', TRANSCODER_TOKEN: 'a-token' });
  folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
  key = await addKey(system.worker, 'read');
});
afterEach(() => server?.close());
afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ok = { status: 'ok', mend: null };

test('a machine that can transcode, an edge without a transcoder, a key that is valid', async () => {
  const command = new Command(system.url, folder, { REELWIRE_KEY: key });
  const checks = z.array(Check).parse(await command.json('doctor'));
  expect(checks).toEqual([
    { ...ok, check: 'ffmpeg', found: expect.stringMatching(/^n?\d\S* \(.*ffmpeg\)$/) },
    { ...ok, check: 'ffprobe', found: expect.any(String) },
    { ...ok, check: 'packager', found: expect.stringMatching(/^3\./) },
    expect.objectContaining({ check: 'disk', found: expect.stringMatching(/ GB free for work$/) }),
    {
      ...{ check: 'edge', status: 'warn', found: `${system.url}, version ${manifest.version}, no transcoder online` },
      mend: `Jobs wait until there is one: npm run transcoder -- --edge ${system.url}`,
    },
    { ...ok, check: 'token', found: 'the key is valid' },
    expect.objectContaining({ check: 'clock' }),
  ]);
});

test('a tool that is missing, an edge that does not answer: how to mend each, and exit code 1', async () => {
  const command = new Command('http://localhost:9', folder, { FFMPEG_PATH: '/nowhere' });
  const { code, out } = await command.run('doctor');
  expect(code).toBe(1);
  expect(out).toMatch(/^fail {2}ffmpeg {4}missing\n {16}ffmpeg does not run \(\/nowhere\): install ffmpeg/m);
  expect(out).toMatch(/^ok {4}packager {2}3\./m);
  expect(out).toMatch(/^fail {2}edge {6}Nothing answers at http:\/\/localhost:9: .*\n {16}Start it/m);
  expect(out).toMatch(/^skip {2}token {5}the edge has not answered$/m);
  expect(out).toMatch(/\nTo mend: 2\.( Warnings: 1\.)?\n$/);
  expect(out).not.toContain('looks closer');
});

test('the last line counts what is to be mended, and what may not do', () => {
  expect([verdict(0, 0), verdict(0, 1), verdict(2, 0), verdict(2, 1)]).toEqual([
    ...['Nothing needs mending.', 'It works. Warnings: 1.', 'To mend: 2.', 'To mend: 2. Warnings: 1.'],
  ]);
});

/** What is said of the edge, by what was looked at. */
async function edge(url: string, given: string | null = null): Promise<Record<string, Check>> {
  const settings = { url, key: given, json: false };
  const stop = new AbortController().signal;
  const checks = await checkEdge({ ...settings, client: connect(settings, stop), stop });
  return Object.fromEntries(checks.map((check) => [check.check, check]));
}

test.each([
  ['none', null, { found: 'none' }],
  ['one that is none', makeKey().key, { found: expect.stringContaining('(unauthorized)') }],
])('a server that wants a key: %s', async (_, given, found) => {
  const mend = expect.stringMatching(/^Set REELWIRE_KEY to a key of this server\./);
  expect((await edge(system.url, given)).token).toMatchObject({ status: 'fail', mend, ...found });
});

test.each([
  [0, { status: 'ok', found: 'agrees with that of the edge' }],
  [-3600, { status: 'fail', found: expect.stringMatching(/^(1 h|59 min 5\d s) ahead of that of the edge$/) }],
  [3600, { status: 'fail', found: expect.stringMatching(/^(1 h|59 min 5\d s) behind that of the edge$/) }],
])('an edge whose clock is %i s ahead', async (seconds, clock) => {
  const transcoders = { online: 1, busy: 0, slots: 1 };
  const health = {
    status: 'healthy',
    service: 'reelwire',
    version: manifest.version,
    mode: 'open',
    protocols: [1],
    transcoders,
  };
  server = createServer((_, response) => {
    response.setHeader('Date', new Date(Date.now() + seconds * 1000).toUTCString());
    response.end(JSON.stringify(health));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  expect(await edge(`http://127.0.0.1:${address.port}`)).toMatchObject({ clock, edge: ok, token: ok });
});
