/** `reelwire process` and `watch` against the real edge: in pipes, on a terminal, as JSON, and when people leave. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Reelwire } from '../../client/index.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { answering, Receiver } from '../e2e/receiver.ts';
import { System } from '../e2e/system.ts';
import type { Running } from '../tools/running.ts';
import { Command, HAS_TERMINAL, jsonLines } from './command.ts';
import { Tap } from './tap.ts';

const LONG = process.env.REELWIRE_LONG === '1';

const Line = z.object({ event: z.string(), id: z.int().nullish(), data: z.looseObject({}).optional() }).loose();

let system: System;
let client: Reelwire;
let folder: string;
let command: Command;
let video: string;
beforeAll(async () => {
  system = await System.start({ ALLOW_PRIVATE_URLS: '1' });
  client = new Reelwire({ url: system.url });
  folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
  command = new Command(system.url, folder);
  video = file('holiday.mp4');
});
afterEach(() => command.sweep());
afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, bytes = 12): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(bytes, name));
  return path;
}

/** The job that the command has begun, in the hands of the test. */
async function jobOf(running: Running, nth = 0): Promise<DrivenJob> {
  const ids = () => [...running.stdout.matchAll(/(?:Job |"accepted".*"job_id":")([0-9a-f-]{36})/g)].map(([, id]) => id);
  const id = await running.until(`job ${nth}`, () => ids()[nth]);
  return new DrivenJob(system.url, id);
}

const shows = (running: Running, text: string | RegExp) =>
  running.until(String(text), () =>
    typeof text === 'string' ? running.stdout.includes(text) : text.test(running.stdout),
  );

/** Reports until it is shown: of what comes within a second of the last progress nobody is told. */
const encodes = (running: Running, job: DrivenJob, percent: number, text: RegExp) =>
  running.until(String(text), async () => {
    if (!text.test(running.stdout)) await report(job, percent);
    return text.test(running.stdout);
  });

const report = (job: DrivenJob, percent: number) =>
  job.report([
    {
      ...({ type: 'progress', stage: 'transcoding', progress: 30, message: 'Half of it' } as const),
      details: {
        renditions: [{ name: '360p', resolution: '640x360', percent, fps: 60, speed: 2 }],
        ...{ completed: 0, total: 1, eta_seconds: 75, attempt: 1 },
      },
    },
  ]);

const NOT_MEDIA = { code: 'not_media', message: 'No video', retryable: false } as const;

test('in a pipe: one line an event, what came out, and exit code 0', async () => {
  const running = command.start('process', video, '--watch');
  const job = await jobOf(running);
  await job.begin();
  await encodes(running, job, 50, /^job {2}30%, transcoding: Half of it \(360p 50% 2\.0x\)$/m);
  await job.complete();
  expect(await running.exit).toBe(0);
  const lines = running.stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('No transcoder is online: jobs wait until one is.');
  expect(lines[1]).toBe('Uploading holiday.mp4 (0.0 kB) ...');
  expect(lines).toContain('job 100%, completed: Processing complete');
  expect(lines.slice(-4)).toEqual([
    expect.stringMatching(/^Completed in [\d.]+ s\.$/),
    expect.stringMatching(/^ {2}360p {2}640x360 30 fps +\d\.\d kB {2}avc1\.64001e$/),
    `For players: ${system.url}/jobs/${job.id}/outputs/master.m3u8`,
    `Watch it: ${system.url}/jobs/${job.id}`,
  ]);
  expect(running.stdout).not.toContain('\u001b');
  expect(running.stderr).toBe('');
});

test('as JSON, several files: every event of each, a summary of each, and exit code 1 when one has failed', async () => {
  const running = command.start('process', video, file('party.mp4'), '--watch', '--json');
  const [good, bad] = [await jobOf(running, 0), await jobOf(running, 1)];
  await good.begin();
  await good.complete();
  await bad.begin();
  await bad.fail(NOT_MEDIA);
  expect(await running.exit).toBe(1);
  const lines = z.array(Line).parse(jsonLines(running.stdout));
  expect(lines.filter(({ event }) => event === 'accepted')).toEqual([
    expect.objectContaining({ video: 'holiday.mp4', job_id: good.id, status_url: `${system.url}/jobs/${good.id}` }),
    expect.objectContaining({ video: 'party.mp4', job_id: bad.id }),
  ]);
  const of = (id: string) => lines.filter(({ data }) => data?.job_id === id);
  expect(of(good.id)[0]).toMatchObject({ event: 'status' });
  const log = (await good.log()).map(({ seq }) => seq);
  const told = of(good.id).map(({ id }) => id);
  expect(told).toEqual(log.filter((seq) => seq >= Number(told[0])));
  expect(of(bad.id).at(-1)).toMatchObject({ event: 'error', data: { status: 'failed' } });
  const playback = { hls: `/jobs/${good.id}/outputs/master.m3u8`, dash: expect.stringContaining('manifest.mpd') };
  const summaries = lines.filter(({ event }) => event === 'summary');
  expect(summaries).toEqual([
    { event: 'summary', job_id: good.id, status: 'completed', playback, seconds: expect.any(Number) },
    expect.objectContaining({ job_id: bad.id, status: 'failed', playback: { hls: null, dash: null } }),
  ]);
  expect(running.stderr).toContain('party.mp4: The job failed: No video (not_media)\nTry whether it plays');
});

test('without --watch: the job, how to watch it, the secret of its webhook', async () => {
  const receiver = await Receiver.start();
  const { code, out } = await command.run('process', video, '--webhook', receiver.at('/', answering(204)));
  expect(code).toBe(0);
  expect(out).toMatch(
    /^Job (\S{36})\nThe secret of its webhook, told this once: whsec_\S+\nWatch it: reelwire watch \1$/m,
  );
  await receiver.close();
});

test('a file that the server refuses does not stop the next one', async () => {
  const { code, out, err } = await command.run('process', video, file('empty name\u0007.mp4'), file('next.mp4'));
  expect(code).toBe(3);
  expect(err).toMatch(/^empty name.*\(invalid_field\)$/m);
  expect(out.match(/^Job /gm)).toHaveLength(2);
});

test('watch ends at once with a job that is over, and says how to try again', async () => {
  const job = await DrivenJob.submit(system.url);
  await job.cancel();
  const { code, err } = await command.run('watch', job.id);
  expect([code, err]).toEqual([1, `The job was cancelled.\nTry again: reelwire retry ${job.id}\n`]);
});

test.each(LONG ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT'] as const))(
  '%s leaves, and the job goes on',
  async (signal) => {
    const job = await DrivenJob.submit(system.url);
    const running = command.start('watch', job.id);
    await shows(running, 'Connected');
    running.send(signal);
    expect(await running.exit).toBe(signal === 'SIGTERM' ? 143 : 130);
    expect(running.stdout).toContain(`Jobs go on without you: reelwire watch ${job.id}\n`);
    expect((await client.jobs.get(job.id)).status).toBe('pending');
  },
);

test('an upload that was broken off goes on with the next call, as the same job', async () => {
  const tap = await Tap.start(system.url, 2 ** 20);
  const slow = new Command(tap.url, folder);
  const large = file('large.mp4', 3 * 2 ** 20);
  const first = slow.start('process', large);
  await tap.held;
  first.send('SIGTERM');
  expect(await first.exit).toBe(143);
  expect(first.stdout).toContain('What has been sent of large.mp4 stays; the same command goes on with it.');
  tap.open();
  const { code, out } = await slow.run('process', large);
  expect(code).toBe(0);
  const { jobs } = await client.jobs.list({ q: 'large' });
  expect(jobs.map(({ id }) => id)).toEqual([/^Job (\S+)$/m.exec(out)?.[1]]);
  await tap.close();
});

describe.runIf(HAS_TERMINAL)('on a terminal', () => {
  const CTRL_C = '\u0003';

  test('bars of the job and its renditions, with what is left; Ctrl-C asks, and again ends it', async () => {
    const running = command.terminal(90, 'process', video, '--watch');
    const job = await jobOf(running);
    await job.begin();
    await encodes(running, job, 50, /transcoding {4}█+░+ +30% of the job, Half of it, 1 min 15 s left/);
    await shows(running, / {2}360p {9}█+░+ +50% 2\.0x/);
    running.type(CTRL_C);
    await shows(running, 'd: leave, jobs go on without you');
    running.type(' ');
    await shows(running, 'Going on.');
    await encodes(running, job, 75, / {2}360p {9}█+░+ +75%/);
    running.type(CTRL_C);
    await running.until('asked again', () => running.stdout.split('d: leave').length > 2);
    running.type(CTRL_C);
    expect(await running.exit).toBe(130);
    expect(running.stdout).toContain(`Jobs go on without you: reelwire watch ${job.id}`);
    expect((await client.jobs.get(job.id)).status).toBe('processing');
  });

  const LEAVE = ['d', 130, 'processing'] as const;
  const CANCEL = ['c', 1, 'cancelled'] as const;
  test.each(LONG ? [LEAVE, CANCEL] : [LEAVE])(
    'after Ctrl-C, %s ends it with %i, and the job is %s',
    async (key, code, status) => {
      const job = await DrivenJob.submit(system.url);
      await job.begin();
      const running = command.terminal(90, 'watch', job.id);
      await shows(running, 'transcoding');
      running.type(CTRL_C);
      await shows(running, 'd: leave');
      running.type(key);
      expect(await running.exit).toBe(code);
      expect((await client.jobs.get(job.id)).status).toBe(status);
    },
  );

  test('an upload that is cancelled ends at once, and its job is cancelled', async () => {
    const tap = await Tap.start(system.url, 2 ** 20);
    const running = new Command(tap.url, folder).terminal(90, 'process', file('unwanted.mp4', 24 * 2 ** 20));
    await tap.held;
    await shows(running, /upload {9}█+░+ +\d+% \d+\.\d MB of 25\.2 MB/);
    tap.open();
    running.type(CTRL_C);
    await shows(running, 'd: leave');
    running.type('c');
    expect(await running.exit).toBe(1);
    const { jobs } = await client.jobs.list({ q: 'unwanted' });
    expect(await Promise.all(jobs.map(async ({ id }) => (await client.jobs.get(id)).status))).toEqual(['cancelled']);
    await tap.close();
  });
});
