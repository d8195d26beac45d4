/** What the commands say about jobs, to people and to programs, and how they refuse; against the real edge. */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Reelwire } from '../../client/index.ts';
import { Job } from '../../src/contract/job.ts';
import { until } from '../../tools/until.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { System } from '../e2e/system.ts';
import { Running } from '../tools/running.ts';
import { BIN, Command, HAS_TERMINAL, refusalOf } from './command.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

let system: System;
let folder: string;
let command: Command;
let done: DrivenJob;
let failed: DrivenJob;
beforeAll(async () => {
  system = await System.start();
  folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
  command = new Command(system.url, folder);
  [done, failed] = [await DrivenJob.submit(system.url), await DrivenJob.submit(system.url)];
  await done.begin();
  await done.complete();
  await failed.begin();
  await failed.fail({ code: 'no_space', message: 'No room', retryable: false });
  const client = new Reelwire({ url: system.url });
  const isListed = async () => (await client.jobs.list({ status: 'failed' })).jobs.length === 1;
  await until(isListed, { withinMs: 30_000 });
});
afterEach(() => command.sweep());
afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('jobs', () => {
  test('in a pipe: a table, newest first, with whole names; as JSON: a job a line', async () => {
    const { code, out } = await command.run('jobs');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^JOB +STATE +AGE +NAME$/),
      expect.stringMatching(new RegExp(`^${failed.id}  failed     \\d+ s +clip$`)),
      expect.stringMatching(new RegExp(`^${done.id}  completed  \\d+ s +clip$`)),
    ]);
    const jobs = await command.json('jobs', '--status', 'completed');
    expect(jobs).toEqual([expect.objectContaining({ id: done.id, status: 'completed', progress: 100 })]);
    expect((await command.run('jobs', '--limit', '1')).err).toBe('There are more: reelwire jobs --limit 2\n');
    expect((await command.run('jobs', '--status', 'processing')).out).toBe('No job is processing.\n');
  });

  test.runIf(HAS_TERMINAL)('on a terminal no line is longer than it is wide', async () => {
    const narrow = command.terminal(50, 'jobs');
    expect(await narrow.exit).toBe(0);
    const lines = narrow.stdout.trimEnd().split(/\r?\n/);
    expect(lines.map((line) => line.length)).toEqual([50, 50, 50]);
    expect(lines[1]).toMatch(/…$/);
  });
});

test('show: the whole job, with addresses that can be opened; as JSON: as the server says it', async () => {
  const { out } = await command.run('show', done.id);
  expect(out).toMatch(/^status {3}completed$/m);
  expect(out).toMatch(/^STAGE +TOOK\n/m);
  expect(out).toMatch(/^transcoding +\d+\.\d s$/m);
  expect(out).toMatch(/^RENDITION +PICTURE +FPS +BITRATE +VMAF +SIZE +STATUS +CODECS\n360p +640x360 +30 +\d+ kbit\/s/m);
  const hls = /^hls +(http\S+)$/m.exec(out)?.[1] ?? '';
  expect((await fetch(hls)).status).toBe(200);
  expect(out).toMatch(new RegExp(`^page +${system.url}/jobs/${done.id}$`, 'm'));
  const [job] = await command.json('show', done.id);
  expect(Job.parse(job)).toEqual(await system.job(done.id));

  const { out: why } = await command.run('show', failed.id);
  expect(why).toMatch(/^error +No room \(no_space\)\n +Make room, or point `WORK_DIR` to a larger disk/m);
  expect((await command.run('show', 'nope')).err).toBe(
    'That is no id of a job. (invalid_job_id)\n"reelwire jobs" shows what is there.\n',
  );
});

test('cancel, retry and delete do what they say, or say why not', async () => {
  const { id } = await DrivenJob.submit(system.url);
  expect(await command.json('cancel', id)).toEqual([{ job_id: id, status: 'cancelled' }]);
  expect(await command.run('retry', id)).toEqual({
    ...{ code: 0, err: '', out: `Job ${id} is pending again. "reelwire watch ${id}" follows it.\n` },
  });
  const { code, out, err } = await command.run('retry', id);
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(/^The job is .*\(invalid_state\)\n"reelwire show JOB" says what state the job is in\.\n$/);
  expect((await command.run('delete', id)).code).toBe(0);
  const gone = await command.run('show', id, '--json');
  expect([gone.code, gone.out]).toEqual([3, '']);
  expect(JSON.parse(gone.err)).toEqual({
    error: {
      ...{ code: 'job_not_found', exit_code: 3, message: expect.stringContaining('no job') },
      next: '"reelwire jobs" shows what is there.',
    },
  });
});

test('a retry of what another try does not change says so', async () => {
  const job = await DrivenJob.submit(system.url);
  await job.begin();
  await job.fail({ code: 'not_media', message: 'No video', retryable: false });
  const { code, out, err } = await command.run('retry', job.id);
  expect([code, out]).toEqual([0, expect.stringContaining('is pending again')]);
  expect(err).toMatch(/^It failed with not_media, which another try seldom mends\.\nTry whether it plays/);
});

test('what is to be typed next can be typed where the command was started', async () => {
  const viaNpx = new Command(system.url, folder, { npm_execpath: '/there/npm-cli.js' });
  expect((await viaNpx.run('jobs', '--limit', '1')).err).toBe('There are more: npx reelwire jobs --limit 2\n');
});

test.runIf(process.platform === 'linux')('open: the address, and where there is a screen the browser', async () => {
  const address = `${system.url}/jobs/${done.id}`;
  const blind = new Command(system.url, folder, { DISPLAY: '', WAYLAND_DISPLAY: '', SSH_CONNECTION: '' });
  expect(await blind.json('open', done.id)).toEqual([{ job_id: done.id, url: address, opened: false }]);

  const opened = join(folder, 'opened');
  const browser = join(folder, 'browser');
  writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > '${opened}.new' && mv '${opened}.new' '${opened}'\n`);
  chmodSync(browser, 0o755);
  const seeing = new Command(system.url, folder, { DISPLAY: ':0', BROWSER: browser, SSH_CONNECTION: '' });
  expect((await seeing.run('open', done.id)).out).toBe(`${address}\n`);
  await expect.poll(() => readFileSync(opened, { encoding: 'utf8', flag: 'a+' })).toBe(address);
  expect((await seeing.run('open', UNKNOWN)).code).toBe(3);
});

test('nothing answers: exit code 3, and what to do', async () => {
  const nowhere = new Command('http://localhost:9', folder);
  const video = join(folder, 'clip.mp4');
  writeFileSync(video, 'something');
  for (const args of [['jobs'], ['process', video, '--watch']]) {
    const { code, err } = await nowhere.run(...args);
    expect(code).toBe(3);
    expect(err).toMatch(/^Nothing answers at http:\/\/localhost:9: .*\(unreachable\)\nStart it/);
  }
});

test('a server that never answers can be left', async () => {
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const running = new Command(`http://127.0.0.1:${address.port}`, folder).start('jobs');
  const [socket] = await once(silent, 'connection');
  running.send('SIGINT');
  expect(await running.exit).toBe(130);
  socket.destroy();
  silent.close();
});

describe('the command line', () => {
  test.each([
    [['play'], "unknown command 'play'"],
    [['process'], "missing required argument 'file'"],
    [['process', 'nothing.mp4'], 'There is no file nothing.mp4'],
    [['process', 'test'], 'test is not a file'],
    [['jobs', '--status', 'done'], 'Allowed choices are pending, processing'],
    [['jobs', '--limit', '0'], 'a whole number from 1'],
    [
      ['jobs', '--url', 'localhost:1'],
      'REELWIRE_URL must be an http or https address, not "localhost:1"; did you mean http://localhost:1?',
    ],
    [['process', 'clip.mp4', '--webhook', 'notaurl'], 'It must be an http or https address, not "notaurl"'],
    [['show'], "missing required argument 'job'"],
  ])('%j is refused', async (args, why) => {
    expect(await refusalOf(...args)).toMatchObject({ exitCode: 2, message: expect.stringContaining(why) });
  });

  test('a refusal is a sentence on stderr and exit code 2; help is for stdout and 0', async () => {
    const refused = command.start('show');
    expect([await refused.exit, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toBe(
      `missing required argument 'job'\n"reelwire --help" shows the commands, "reelwire COMMAND --help" what one takes.\n`,
    );
    const help = command.start('process', '--help');
    expect([await help.exit, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('reelwire process holiday.mp4 party.mov --watch');
  });

  test('a Node that is too old gets a sentence', async () => {
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); await import('${BIN}')`;
    const running = new Running(null, ['--input-type=module', '--eval', old], {});
    expect(await running.exit).toBe(2);
    expect(running.stderr).toMatch(/^reelwire needs Node 22\.18 or newer; this is 20\.20\.2\./);
  });
});
