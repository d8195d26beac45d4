/** Tools that die, stand still, or find the disk full; each ends with no process and no folder left. */
import { basename } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clips, QUICK, testPicture, testTone } from './clips.ts';
import { eventually, Harness } from './harness.ts';
import { LoopbackEdge, type LoopbackJob } from './loopback-edge.ts';

let clips: Clips;
let short: Buffer;
let long: Buffer;
let edge: LoopbackEdge;
let transcoder: Harness;

beforeAll(async () => {
  clips = await Clips.open();
  short = await clips.read(await clips.make('short.mp4', ...testPicture('320x240', '25', 5), ...testTone(5), ...QUICK));
  long = await clips.read(await clips.make('long.mp4', ...testPicture('640x360', '30', 300), ...QUICK));
});
afterAll(() => clips.close());
beforeEach(async () => {
  edge = await LoopbackEdge.start();
  transcoder = await Harness.start(edge.url, clips.binaries);
});
afterEach(async () => {
  await transcoder.stop();
  await edge.close();
  expect(edge.violations).toEqual([]);
});

const gone = () =>
  eventually(async () => (await transcoder.tools()).length + (await transcoder.folders()).length === 0);

async function encoding(): Promise<LoopbackJob> {
  const job = edge.addJob(long);
  await edge.until(() => job.commits.some(({ n }) => n === 1));
  expect(await transcoder.tools()).toHaveLength(4);
  return job;
}

/** One tool of one pair, while both pairs work. */
async function victim(pair: 'first' | 'rest', which: 'ffmpeg' | 'packager'): Promise<number> {
  const tools = await transcoder.tools();
  const found = tools.find(({ exe, cwd }) => exe === clips.binaries[which] && basename(cwd) === pair);
  if (!found) throw new Error(`no ${which} in the pair ${pair}`);
  return found.pid;
}

describe('a tool that dies', () => {
  it.each([
    ['first', 'ffmpeg'],
    ['first', 'packager'],
    ['rest', 'ffmpeg'],
    ['rest', 'packager'],
  ] as const)('takes the others with it, of both pairs: %s, %s', async (pair, which) => {
    const job = await encoding();
    process.kill(await victim(pair, which), 'SIGKILL');
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'encode_failed', retryable: true } });
    expect(job.entries.some(({ type }) => type === 'rendition')).toBe(false);
    await gone();
  });
});

describe('a tool that stands still', () => {
  it('ends the attempt, although ffmpeg goes on printing progress', async () => {
    await transcoder.stop();
    transcoder = await Harness.start(edge.url, clips.binaries, 1, { stallMs: 2_000 });
    const job = await encoding();
    process.kill(await victim('first', 'packager'), 'SIGSTOP');
    process.kill(await victim('rest', 'packager'), 'SIGSTOP');
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'stalled', retryable: true } });
    await gone();
  });
});

describe('a disk without room', () => {
  it('is noticed before the download', async () => {
    const job = edge.addJob(short);
    job.size = 2 ** 52;
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'no_space', retryable: true } });
    expect(job.ranges).toEqual([]);
  });

  it('in the middle is told as such', async () => {
    await transcoder.stop();
    const full = await clips.script('full', 'echo "write error: No space left on device" >&2; exit 1');
    transcoder = await Harness.start(edge.url, { ...clips.binaries, packager: full });
    const job = edge.addJob(short);
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'no_space', retryable: true } });
    await gone();
  });
});
