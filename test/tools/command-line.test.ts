/** What the commands answer to a command line or setting that cannot be used: a sentence, and exit code 2. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readCostOptions } from '../../tools/cost/options.ts';
import { readOptions } from '../../tools/demo/options.ts';
import { watchWords } from '../../tools/demo/run.ts';
import { envFileArguments, transcoderToken } from '../../tools/dev-vars.ts';
import { whyClosed } from '../../tools/health.ts';
import { Keeper } from '../../tools/keeper.ts';
import { refuseKept } from '../../tools/npm.ts';
import { Service } from '../../tools/service.ts';
import { readSettings, refuseOptions } from '../../tools/settings.ts';
import { freePort, Running, tool } from './running.ts';

const JOB = '11111111-2222-4333-8444-555555555555';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'options-test-'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'empty.mp4'), '');
  writeFileSync(join(folder, 'a video.mp4'), 'something');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['a file that is not there', ['nothing.mp4'], /There is no file nothing\.mp4 \(looked for .*nothing\.mp4\)/],
  ['a folder', ['sub'], /sub is not a file/],
  ['an empty file', ['empty.mp4'], /empty\.mp4 is empty/],
  ['two files', ['a.mp4', 'b.mp4'], /takes one file, not 2/],
  ['an unknown option', ['--loud'], /'--loud'[\s\S]*Usage: npm run demo/],
])('the demo refuses %s', (_, args, sentence) => {
  const read = () => readOptions(args, { INIT_CWD: folder });
  expect(read).toThrow(sentence);
  expect(read).toThrow(expect.objectContaining({ exitCode: 2 }));
});

it('the demo ends with what it refuses', async () => {
  const demo = new Running(null, [tool('demo.ts'), '--loud'], { INIT_CWD: folder, TMPDIR: folder });
  expect(await demo.exit).toBe(2);
  expect(demo.stderr).toMatch(/'--loud'[\s\S]*Usage: npm run demo/);
  expect(demo.stdout).toBe('');
  expect(demo.folders()).toEqual([]);
});

it('a demo of its own says at its end how to start what has the page of the video', () => {
  vi.stubEnv('PORT', '9000');
  vi.stubEnv('STATE_DIR', 'there');
  vi.stubEnv('HOST', '');
  const page = 'http://localhost:9000/jobs/x';
  const words = [false, true].map((joined) => watchWords(page, { joined }));
  vi.unstubAllEnvs();
  expect(words).toEqual([
    `Watch it: run "PORT=9000 STATE_DIR=there npm start", then open ${page}`,
    `Watch it: ${page}`,
  ]);
});

it('takes a file relative to where the user stands', () => {
  const options = readOptions(['a video.mp4', '--json'], { INIT_CWD: folder });
  expect(options).toEqual({ file: { path: join(folder, 'a video.mp4'), name: 'a video.mp4', bytes: 9 }, json: true });
  expect(readOptions([], { INIT_CWD: folder })).toEqual({ file: null, json: false });
});

it.each([
  ['PORT', '0'],
  ['PORT', '65536'],
  ['PORT', '80a'],
  ['TRANSCODERS', '-1'],
  ['TRANSCODERS', '65'],
  ['HOST', 'example.com'],
])('refuses %s=%s', (name, value) => {
  expect(() => readSettings({ [name]: value })).toThrow(`${name} must be`);
});

it.each([
  ['an option', ['--port', '9000'], {}, 'npm start has no "--port". Settings are variables: PORT=9000 npm start'],
  ['one that npm has kept', ['x'], { npm_config_state_dir: 'x' }, 'npm start has no "--state-dir". Settings are'],
])('npm start refuses %s', (_, args, env, sentence) => {
  expect(() => refuseOptions('npm start', args, env)).toThrow(sentence);
  expect(() => refuseOptions('npm start', [], { npm_config_cache: 'x', PORT: '9000' })).not.toThrow();
});

it('npm start refuses an address that is not of this machine', async () => {
  const env = { HOST: '192.0.2.1', STATE_DIR: join(folder, 'state') };
  const service = await Service.open(readSettings(env), {
    deathsAllowed: { edge: 0, transcoder: 0 },
    say: () => undefined,
  });
  const start = service.start(new AbortController().signal);
  await expect(start).rejects.toThrow('192.0.2.1 is no address of this machine. Set HOST to 127.0.0.1');
  await service.stop();
});

it('what is not to be tracked is told to the edge after .dev.vars, and its token to the transcoder', () => {
  const [shared, own] = ['.dev.vars', '.dev.vars.local'].map((name) => join(folder, name));
  writeFileSync(shared ?? '', 'REELWIRE_OPEN=1\nTRANSCODER_TOKEN=ours\n');
  expect([envFileArguments(folder), transcoderToken(folder)]).toEqual([[], { TRANSCODER_TOKEN: 'ours' }]);
  writeFileSync(own ?? '', '# closed\nREELWIRE_OPEN=\nTRANSCODER_TOKEN="mine"\n');
  expect(envFileArguments(folder)).toEqual(['--env-file', shared, '--env-file', own]);
  expect(transcoderToken(folder)).toEqual({ TRANSCODER_TOKEN: 'mine' });
  writeFileSync(own ?? '', 'TRANSCODER_TOKEN=\n');
  expect(transcoderToken(folder)).toEqual({});
});

it.each([
  ['access_closed', 'Set TOKEN_SECRET.'],
  ['internal', null],
])('an edge that answers %s says why nobody gets in: %s', async (code, expected) => {
  const problem = { type: 'urn:x', title: 'No', status: 403, code, detail: 'Set TOKEN_SECRET.', request_id: 'r' };
  const server = createServer((_, response) => response.end(JSON.stringify(problem)));
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  expect(await whyClosed(`http://127.0.0.1:${port}`)).toBe(expected);
  server.close();
});

it('a child that says that a setting cannot be used is not started again', async () => {
  const logFile = join(folder, 'child.log');
  const said: string[] = [];
  const gaveUp = Promise.withResolvers<[string, boolean]>();
  const keeper = new Keeper({
    ...{ name: 'The child', args: ['-e', 'process.exit(2)'], cwd: folder, env: {}, logFile, graceMs: 0 },
    ...{ deathsAllowed: () => 5, gaveUp: (...why) => gaveUp.resolve(why), say: (text) => said.push(text) },
  });
  expect([await gaveUp.promise, said]).toEqual([['The child cannot start.', true], []]);
  await keeper.stop();
});

it.each([
  [
    {},
    { port: 8787, transcoders: 1, origin: 'http://127.0.0.1:8787', address: 'http://localhost:8787', workDir: null },
  ],
  [
    { PORT: '', HOST: '' },
    { port: 8787, host: '127.0.0.1' },
  ],
  [
    { PORT: '1', TRANSCODERS: '0' },
    { port: 1, transcoders: 0 },
  ],
  [
    { PORT: '65535', HOST: '0.0.0.0', TRANSCODERS: '64' },
    { origin: 'http://127.0.0.1:65535', transcoders: 64 },
  ],
  [{ HOST: '::1' }, { origin: 'http://[::1]:8787' }],
  [
    { WORK_DIR: 'work', INIT_CWD: '/there', STATE_DIR: '/state' },
    { workDir: '/there/work', stateDir: '/state' },
  ],
])('reads %o', (env, expected) => {
  expect(readSettings(env)).toMatchObject(expected);
});

it.each([
  ['deploy', { npm_config_domain: 'true' }, 'npm run deploy -- --domain'],
  ['deploy', { npm_config_parseable: 'true', npm_config_long: 'true', npm_config_all: 'true' }, '-- --plan'],
  ['cost', { npm_config_dry_run: 'true', npm_config_domain: 'x' }, '-- --domain --dry-run'],
])('refuses options of %s that npm has kept: %o', (script, kept, sentence) => {
  const options = ['plan', 'domain', 'json', 'dry-run'];
  expect(() => refuseKept(script, options, { npm_lifecycle_event: script, ...kept })).toThrow(sentence);
  const others = { npm_config_json: 'true', npm_config_parseable: 'true', npm_config_plan: '' };
  expect(() => refuseKept(script, options, { npm_lifecycle_event: script, ...others })).not.toThrow();
  expect(() => refuseKept(script, options, { npm_lifecycle_event: 'test', ...kept })).not.toThrow();
});

it.each([
  [[], 'Give the id of a job: "npx reelwire jobs" lists them.'],
  [['x'], '"x" is no id of a job'],
  [[JOB, JOB], 'Give one id'],
  [[JOB, '--jobs', '0'], '--jobs must be a whole number from 1 to'],
  [[JOB, '--days', '-1'], '--days'],
  [[JOB, '--edge', 'localhost:8787'], '--edge or EDGE_URL must be an http or https address, not "localhost:8787"'],
])('the cost refuses %j', (args, sentence) => {
  expect(() => readCostOptions(args, {})).toThrow(sentence);
  expect(() => readCostOptions(args, {})).toThrow(/\nUsage: npm run cost -- JOB_ID/);
});

it('the cost is that of one job, watched and played once and kept for a week', () => {
  const audience = { watchers: 1, plays: 1, days: 7 };
  const of = { id: JOB, edge: 'http://localhost:8787', audience, jobs: 1, json: false };
  expect(readCostOptions([JOB], {})).toEqual(of);
  const many = readCostOptions([JOB, '--jobs', '1000', '--plays', '0', '--json'], {
    EDGE_URL: 'https://x.example.com',
  });
  expect(many).toEqual({
    ...of,
    edge: 'https://x.example.com',
    audience: { ...audience, plays: 0 },
    jobs: 1000,
    json: true,
  });
});
