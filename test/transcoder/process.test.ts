/** The command itself, as an operator or a parent process starts and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { testBed } from './bed.ts';
import { eventually, toolsIn } from './harness.ts';
import type { Fault, LoopbackJob } from './loopback-edge.ts';
import { HIGH } from './loopback-queues.ts';

const MAIN = join(import.meta.dirname, '../../transcoder-node/main.ts');

const bed = testBed();
let long: Buffer;
let short: Buffer;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  long = await bed.clips.long();
  short = await bed.clips.short();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelwire-test-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly log: string[];
  readonly exit: Promise<number>;
  readonly ready: Promise<unknown>;
}

function start(env: Record<string, string> = {}, args: string[] = ['--edge', bed.edge.url]): Started {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { PATH, NODE_COMPILE_CACHE, WORK_DIR: folder, ...env },
  });
  children.push(child);
  const log: string[] = [];
  const lines = createInterface({ input: child.stderr ?? process.stdin });
  lines.on('line', (line) => log.push(line));
  const isReady = (line: string) => (JSON.parse(line) as { msg: string }).msg === 'ready';
  const ready = new Promise((resolve) => lines.on('line', (line) => isReady(line) && resolve(line)));
  const exit = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[code]]) => Number(code));
  return { child, log, exit, ready };
}

async function encoding(): Promise<LoopbackJob> {
  const job = bed.edge.addJob(long);
  await bed.edge.until(() => job.commits.some(({ n }) => n === 1));
  expect(await toolsIn(folder)).toHaveLength(4);
  return job;
}

describe('the transcoder process', () => {
  it.each<[string, (child: ChildProcess) => unknown]>([
    ['SIGTERM', (child) => child.kill('SIGTERM')],
    ['SIGINT', (child) => child.kill('SIGINT')],
    ['the end of its parent', (child) => child.disconnect()],
  ])('hands its task back on %s', async (_, end) => {
    const { child, exit } = start();
    const job = await encoding();
    const endedAt = performance.now();
    end(child);
    expect(await exit).toBe(0);
    expect(performance.now() - endedAt).toBeLessThan(5_000);
    expect(job.released).toEqual([1]);
    expect(job.finish).toBeNull();
    expect(bed.edge.fleet.at(-1)?.busy).toBeNull();
    expect(await toolsIn(folder)).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves no encoder behind when it is killed, and its folder to the next start', async () => {
    const { child, exit } = start();
    await encoding();
    child.kill('SIGKILL');
    await exit;
    await eventually(async () => (await toolsIn(folder)).length === 0);
    const [left] = await readdir(folder);
    const elsewhere = ['reelwire-00000000-1-inuse1', 'reelwire-00000000-1-silent'];
    for (const name of ['reelwire-somebody-elses', ...elsewhere]) await mkdir(join(folder, name));
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(folder, 'reelwire-00000000-1-silent'), hoursAgo, hoursAgo);
    const next = start();
    await next.ready;
    const names = await readdir(folder);
    expect(names).not.toContain(left);
    expect(names).toContain('reelwire-somebody-elses');
    expect(elsewhere.filter((name) => names.includes(name))).toEqual(['reelwire-00000000-1-inuse1']);
    next.child.kill('SIGTERM');
    expect(await next.exit).toBe(0);
  });

  it.each<[string, Fault]>([
    ['has gone', { hangUp: 'before' }],
    ['does not answer', { answerAfter: new Promise(() => {}) }],
  ])('ends in time although the edge %s', async (_, fault) => {
    const { child, exit } = start();
    await encoding();
    bed.edge.fault = () => fault;
    const endedAt = performance.now();
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(performance.now() - endedAt).toBeLessThan(5_000);
    expect(await toolsIn(folder)).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('shows its token on every request, to the queue too', async () => {
    bed.edge.token = 'secret';
    const { ready, child, exit } = start({ TRANSCODER_TOKEN: 'secret' });
    await ready;
    const job = bed.edge.addJob(Buffer.from('not a video'));
    await bed.edge.until(() => job.finish && bed.edge.fleet.length > 0);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('announces itself, its load and its end, and hands back the tasks of all its slots', async () => {
    const { child, exit } = start({}, ['--edge', `${bed.edge.url}/`, '--slots', '2']);
    await encoding();
    const other = bed.edge.addJob(long);
    await bed.edge.until(() => bed.edge.fleet.some(({ busy }) => busy === 2) && other.commits.length > 0);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(bed.edge.fleet[0]).toMatchObject({ slots: 2, busy: 0 });
    expect(bed.edge.fleet.at(-1)?.busy).toBeNull();
    expect([...bed.edge.jobs.values()].map(({ released }) => released)).toEqual([[1], [1]]);
    expect(await toolsIn(folder)).toEqual([]);
  });
});

describe('--once', () => {
  const once = (...more: string[]) => start({}, ['--edge', bed.edge.url, '--once', ...more]);

  it('does what is there and what comes meanwhile, and ends with 0', async () => {
    const jobs = [bed.edge.addJob(short, null, { priority: 'high' })];
    const late = Promise.withResolvers<void>();
    let pulls = 0;
    bed.edge.fault = (route) => {
      pulls += Number(route === 'pull' && jobs[0]?.lease === 1);
      return route === 'finish' ? { answerAfter: late.promise } : null;
    };
    const { exit } = once('--slots', '2');
    await bed.edge.until(() => pulls > 5);
    jobs.push(bed.edge.addJob(short));
    late.resolve();
    expect(await exit).toBe(0);
    for (const { finish } of jobs) expect(finish).toHaveProperty('result');
    expect(bed.edge.messages.map(({ state }) => state)).toEqual(['acked', 'acked']);
    expect(bed.edge.fleet.at(-1)?.busy).toBeNull();
  });

  it('ends with 1 when a task failed', async () => {
    const job = bed.edge.addJob(Buffer.from('not a video'));
    expect(await once().exit).toBe(1);
    expect(job.finish).toHaveProperty('error');
  });

  it('ends with 1 when a queue is out of reach, and says which', async () => {
    let asked = 0;
    bed.edge.fault = (route, _, queue) => {
      if (route !== 'pull' || queue !== HIGH) return null;
      asked += 1;
      return { status: 503 };
    };
    const { exit, log } = once();
    expect(await exit).toBe(1);
    expect(log.join('\n')).toMatch(/reelwire-transcode-high.*the queue cannot be reached/);
    expect(asked).toBe(4);
  });

  it('ends with 1 when the edge could not say whether there is work', async () => {
    bed.edge.fault = (route) => (route === 'lease' ? { status: 503 } : null);
    const job = bed.edge.addJob(short);
    const { exit, log } = once();
    expect(await exit).toBe(1);
    expect(log.filter((line) => line.includes(job.id)).join('\n')).toContain('whether this job has work');
  });
});

describe('--metrics-port', () => {
  const Ready = z.object({ metrics_port: z.int() });
  const Line = z.object({ msg: z.string(), job: z.string().optional(), request_id: z.string().optional() }).loose();

  async function watched(): Promise<Started & { get: (path: string) => Promise<Response>; port: number }> {
    const started = start({}, ['--edge', bed.edge.url, '--metrics-port', '0']);
    await started.ready;
    const { metrics_port: port } = Ready.parse(JSON.parse(started.log.at(-1) ?? ''));
    return { ...started, port, get: (path) => fetch(`http://127.0.0.1:${port}${path}`) };
  }

  it('serves what the process counts, and each stage has a line in the log with the job and the request', async () => {
    let first = true;
    bed.edge.fault = (route) => {
      const isFirst = route === 'lease' && first;
      first &&= route !== 'lease';
      return isFirst ? { status: 503 } : null;
    };
    const { child, exit, log, get } = await watched();
    const jobs = [bed.edge.addJob(short), bed.edge.addJob(Buffer.from('not a video'))];
    await bed.edge.until(() => jobs.every(({ finish }) => finish !== null));
    const has = async (line: string): Promise<boolean> =>
      (await (await get('/metrics')).text()).includes(`\n${line}\n`);
    for (const line of [
      'reelwire_transcoder_attempts_total{result="completed"} 1',
      'reelwire_transcoder_attempts_total{result="failed"} 1',
      'reelwire_transcoder_attempts_total{result="lost"} 0',
      'reelwire_transcoder_failures_total{code="not_media"} 1',
      'reelwire_transcoder_stage_seconds_count{stage="fetching"} 1',
      'reelwire_transcoder_stage_seconds_count{stage="packaging"} 1',
      'reelwire_transcoder_encode_speed_count 1',
      'reelwire_transcoder_request_retries_total 1',
      'reelwire_transcoder_slots 1',
    ]) {
      await eventually(() => has(line));
    }
    expect(await (await get('/metrics')).text()).toMatch(/^reelwire_transcoder_disk_free_bytes [1-9]\d+$/m);
    const [encoded, failed] = jobs.map(({ id }) =>
      log.map((line) => Line.parse(JSON.parse(line))).filter(({ msg, job }) => job === id && msg.startsWith('stage')),
    );
    expect(encoded?.map(({ msg, stage }) => `${msg}: ${String(stage)}`)).toEqual(
      ['fetching', 'transcoding', 'validation', 'packaging'].map((stage) => `stage done: ${stage}`),
    );
    expect(encoded?.[0]).toMatchObject({ lease: 1, seconds: expect.any(Number), request_id: expect.any(String) });
    expect(failed?.map(({ msg }) => msg)).toEqual(['stage ended early']);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('says that it is ready when queues and edge answer, and what is in the way when they do not', async () => {
    const { child, exit, get } = await watched();
    expect((await get('/health')).status).toBe(200);
    expect((await get('/nowhere')).status).toBe(404);
    await eventually(async () => (await get('/ready')).status === 200);
    bed.edge.fault = (route, _, queue) => (route === 'pull' && queue === HIGH ? { status: 503 } : null);
    await eventually(async () => (await get('/ready')).status === 503);
    expect(await (await get('/ready')).json()).toEqual({
      status: 'not ready',
      reasons: [`the queue ${HIGH} does not answer`],
    });
    bed.edge.fault = () => null;
    await eventually(async () => (await get('/ready')).status === 200);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    await expect(get('/health')).rejects.toThrow('fetch failed');
  });

  it('is off unless it is asked for, and refuses a port that is taken', async () => {
    const quiet = start();
    await quiet.ready;
    expect(Ready.safeParse(JSON.parse(quiet.log.at(-1) ?? '')).success).toBe(false);
    const { exit, log } = start({ METRICS_PORT: new URL(bed.edge.url).port });
    expect(await exit).toBe(1);
    expect(log.join('\n')).toMatch(/--metrics-port: .*EADDRINUSE.*Choose another port/);
  });
});

describe('a start that cannot succeed', () => {
  it.each<[string, Record<string, string>, string[], RegExp]>([
    ['ffmpeg is not there', { FFMPEG_PATH: '/nowhere/ffmpeg' }, [], /ffmpeg does not run.*FFMPEG_PATH/],
    ['ffmpeg has no x264', { FFMPEG_PATH: '/bin/true' }, [], /ffmpeg lacks the encoder libx264/],
    ['ffprobe is not there', { FFPROBE_PATH: '/nowhere/ffprobe' }, [], /ffprobe does not run.*FFPROBE_PATH/],
    ['the packager is not there', { PACKAGER_PATH: '/nowhere/packager' }, [], /packager does not run.*PACKAGER_PATH/],
    ['half a queue', { QUEUE_ID: 'q' }, [], /set all or none/],
    ['no slots', {}, ['--slots', '0'], /--slots/],
    ['an impossible floor', { VMAF_FLOOR: '101' }, [], /VMAF_FLOOR/],
    ['no port', {}, ['--metrics-port', '70000'], /--metrics-port/],
    ['a strange edge', {}, ['--edge', 'ftp://example.com'], /--edge/],
    ['an unknown flag', {}, ['--fast'], /Usage/],
  ])('says why: %s', async (_, env, args, sentence) => {
    const { exit, log } = start(env, args);
    expect(await exit).toBe(1);
    expect(log.join('\n')).toMatch(sentence);
    expect(await readdir(folder)).toEqual([]);
  });
});
