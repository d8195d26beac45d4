/** The command itself, as an operator or a parent process starts and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../transcoder-node/config.ts';
import { serveStatus } from '../../transcoder-node/status.ts';
import { testBed } from './bed.ts';
import { QUICK, testPicture, testTone } from './clips.ts';
import { eventually, toolsIn } from './harness.ts';
import type { Fault, LoopbackJob } from './loopback-edge.ts';
import { HIGH } from './loopback-queues.ts';

const MAIN = join(import.meta.dirname, '../../transcoder-node/main.ts');
const LONG = process.env.REELWIRE_LONG === '1';

/** In the line that says that it is ready. */
const Ready = z.object({ metrics_port: z.int() });

const bed = testBed();
let long: Buffer;
let short: Buffer;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  long = await bed.clips.long();
  const part = [...testPicture('128x96', '25', 1), ...testTone(1), ...QUICK];
  short = await bed.clips.read(await bed.clips.make('short.mp4', ...part));
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
  const isReady = (line: string) => line.includes('"msg":"ready"');
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

type End = [string, (child: ChildProcess) => unknown];
const ENDS: End[] = [['the end of its parent', (child) => child.disconnect()]];
const SIGNALS: End[] = (['SIGTERM', 'SIGINT'] as const).map((signal) => [signal, (child) => child.kill(signal)]);

type Away = [string, Fault];
const AWAY: Away[] = [['does not answer', { answerAfter: new Promise(() => {}) }]];
const GONE: Away[] = [['has gone', { hangUp: 'before' }]];

describe('the transcoder process', () => {
  it.each(LONG ? [...ENDS, ...SIGNALS] : ENDS)('hands its task back on %s', async (_, end) => {
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
    expect(Ready.safeParse(JSON.parse(next.log.at(-1) ?? '')).success, 'metrics that nobody asked for').toBe(false);
    const names = await readdir(folder);
    expect(names).not.toContain(left);
    expect(names).toContain('reelwire-somebody-elses');
    expect(elsewhere.filter((name) => names.includes(name))).toEqual(['reelwire-00000000-1-inuse1']);
    next.child.kill('SIGTERM');
    expect(await next.exit).toBe(0);
  });

  it.each(LONG ? [...AWAY, ...GONE] : AWAY)('ends in time although the edge %s', async (_, fault) => {
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

  it('announces itself, its load and its end, and hands back the tasks of all its slots', async () => {
    const { child, exit } = start({}, ['--edge', `${bed.edge.url}/`, '--slots', '2']);
    await encoding();
    bed.edge.addJob(long);
    await bed.edge.until(() => bed.edge.fleet.some(({ busy }) => busy === 2));
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(bed.edge.fleet[0]).toMatchObject({ slots: 2, busy: 0 });
    expect(bed.edge.fleet.at(-1)?.busy).toBeNull();
    expect([...bed.edge.jobs.values()].map(({ released }) => released)).toEqual([[1], [1]]);
    expect(await toolsIn(folder)).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('--once', () => {
  it('does what is there and what comes meanwhile, with its token on every request, and ends with 0', async () => {
    bed.edge.token = 'secret';
    const jobs = [bed.edge.addJob(short, null, { priority: 'high' })];
    const late = Promise.withResolvers<void>();
    let pulls = 0;
    bed.edge.fault = (route) => {
      pulls += Number(route === 'pull' && jobs[0]?.lease === 1);
      return route === 'finish' ? { answerAfter: late.promise } : null;
    };
    const { exit } = start({ TRANSCODER_TOKEN: 'secret' }, ['--edge', bed.edge.url, '--once', '--slots', '2']);
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
    expect(await start({}, ['--edge', bed.edge.url, '--once']).exit).toBe(1);
    expect(job.finish).toHaveProperty('error');
  });
});

describe('--metrics-port', () => {
  const Line = z.object({ msg: z.string(), job: z.string().optional(), request_id: z.string().optional() }).loose();

  async function watched(): Promise<Started & { get: (path: string) => Promise<Response>; port: number }> {
    const started = start({}, ['--edge', bed.edge.url, '--metrics-port', '0']);
    await started.ready;
    const { metrics_port: port } = Ready.parse(JSON.parse(started.log.at(-1) ?? ''));
    return { ...started, port, get: (path) => fetch(`http://127.0.0.1:${port}${path}`) };
  }

  it('serves what the process counts and whether it is ready; each stage has a line in the log with job and request', async () => {
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

  it('refuses a port that is taken', async () => {
    const taken = { host: '127.0.0.1', port: Number(new URL(bed.edge.url).port) };
    await expect(serveStatus(taken, folder)).rejects.toThrow(/--metrics-port: .*EADDRINUSE.*Choose another port/);
  });
});

describe('a start that cannot succeed', () => {
  it.each<[string, Record<string, string>, string[], RegExp]>([
    ['a tool is not there', { FFMPEG_PATH: '/nowhere/ffmpeg' }, [], /^ffmpeg does not run.*FFMPEG_PATH/],
    ['an unknown flag', {}, ['--fast'], /^Unknown option '--fast'\.\nUsage: npm run transcoder/],
  ])('says why in plain words and ends with 2: %s', async (_, env, args, sentence) => {
    const { exit, log } = start(env, args);
    expect(await exit).toBe(2);
    expect(log.join('\n')).toMatch(sentence);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string[], RegExp]>([
    ['half a queue', { QUEUE_ID: 'q' }, [], /set all or none/],
    ['no slots', {}, ['--slots', '0'], /^--slots: must be a whole number from 1 to 64$/],
    ['an impossible floor', { VMAF_FLOOR: '101' }, [], /VMAF_FLOOR/],
    ['no port', {}, ['--metrics-port', '70000'], /--metrics-port/],
    ['a strange edge', {}, ['--edge', 'ftp://example.com'], /--edge/],
  ])('says why: %s', (_, env, args, sentence) => {
    expect(() => readConfig(args, env)).toThrow(sentence);
  });
});
