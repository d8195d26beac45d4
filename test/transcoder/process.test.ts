/** The command itself, as an operator or a parent process starts and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { eventually, toolsIn } from './harness.ts';
import type { LoopbackJob } from './loopback-edge.ts';

const MAIN = join(import.meta.dirname, '../../transcoder-node/main.ts');

const bed = testBed();
let long: Buffer;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  long = await bed.clips.long();
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
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, WORK_DIR: folder, ...env },
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
    await mkdir(join(folder, 'reelwire-somebody-elses'));
    const next = start();
    await next.ready;
    const names = await readdir(folder);
    expect(names).not.toContain(left);
    expect(names).toContain('reelwire-somebody-elses');
    next.child.kill('SIGTERM');
    expect(await next.exit).toBe(0);
  });

  it('ends in time although the edge has gone', async () => {
    const { child, exit } = start();
    await encoding();
    bed.edge.fault = (route) => (route === 'release' || route === 'fleet' ? { hangUp: 'before' } : null);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
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

  it('announces itself, its load and its end', async () => {
    const { child, exit } = start({}, ['--edge', `${bed.edge.url}/`, '--slots', '2']);
    await encoding();
    await bed.edge.until(() => bed.edge.fleet.some(({ busy }) => busy === 1));
    child.kill('SIGTERM');
    await exit;
    expect(bed.edge.fleet[0]).toMatchObject({ slots: 2, busy: 0 });
    expect(bed.edge.fleet.at(-1)?.busy).toBeNull();
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
    ['a strange edge', {}, ['--edge', 'ftp://example.com'], /--edge/],
    ['an unknown flag', {}, ['--fast'], /Usage/],
  ])('says why: %s', async (_, env, args, sentence) => {
    const { exit, log } = start(env, args);
    expect(await exit).toBe(1);
    expect(log.join('\n')).toMatch(sentence);
    expect(await readdir(folder)).toEqual([]);
  });
});
