/** The next attempt makes what is missing and nothing else; what ffmpeg encoded is counted by its calls. */
import { basename } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clips, QUICK, testPicture, testTone } from './clips.ts';
import { type Counted, counted } from './counted.ts';
import { Harness } from './harness.ts';
import { LoopbackEdge, type LoopbackJob } from './loopback-edge.ts';

let clips: Clips;
let clip: Buffer;
let silent: Buffer;
let ffmpeg: Counted;
let edge: LoopbackEdge;
let transcoder: Harness;

beforeAll(async () => {
  clips = await Clips.open();
  clip = await clips.read(await clips.make('clip.mp4', ...testPicture('854x480', '30', 21), ...testTone(21), ...QUICK));
  silent = await clips.read(await clips.make('silent.mp4', ...testPicture('854x480', '30', 2), ...QUICK));
});
afterAll(() => clips.close());
beforeEach(async () => {
  edge = await LoopbackEdge.start();
  ffmpeg = await counted(clips, 'ffmpeg');
  transcoder = await Harness.start(edge.url, ffmpeg.binaries);
});
afterEach(async () => {
  await transcoder.stop();
  await edge.close();
  expect(edge.violations).toEqual([]);
});

async function finished(job: LoopbackJob): Promise<LoopbackJob> {
  await edge.until(() => job.finish);
  expect(job.finish).toMatchObject({ result: { duration_seconds: 21 } });
  return job;
}

const frames = async (job: LoopbackJob, name: string): Promise<number> => {
  const parts = job.commits
    .filter(({ rendition }) => rendition === name)
    .map(({ n }) => job.outputs.get(`${name}/${n === 0 ? 'init.mp4' : `${n}.m4s`}`) ?? Buffer.alloc(0));
  return (await clips.count(Buffer.concat(parts))).frames;
};

describe('after an attempt that was killed in the middle', () => {
  it('only the unfinished renditions are encoded, whole, on the same grid', async () => {
    const job = edge.addJob(clip);
    await edge.until(() => job.whole.has('240p') && job.whole.has('audio'));
    const rest = (await transcoder.tools()).find(({ cwd, exe }) => basename(cwd) === 'rest' && exe.endsWith('ffmpeg'));
    process.kill(rest?.pid ?? Number.NaN, 'SIGKILL');
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'encode_failed', retryable: true } });
    const [plan, early] = [job.plan, [...job.whole.keys()].toSorted()];
    expect(early).toEqual(['240p', 'audio']);

    edge.again(job);
    await finished(job);
    expect(job.plan).toBe(plan);
    const calls = await ffmpeg.encoded();
    expect(calls.slice(0, 2).toSorted()).toEqual([
      ['240p', 'audio'],
      ['360p', '480p'],
    ]);
    expect(calls.slice(2)).toEqual([['360p', '480p']]);
    for (const name of ['240p', '360p', '480p']) {
      expect(await frames(job, name)).toBe(630);
      const durations = job.commits.filter(({ rendition, n }) => rendition === name && n > 0);
      expect(durations.map(({ duration }) => duration)).toEqual([4, 4, 4, 4, 4, 1]);
    }
    expect([...job.validated.keys()].toSorted()).toEqual(['240p', '360p', '480p']);
    expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
    expect(job.fetched[0]).toBe('240p/t1/init.mp4');
    const progress = job.batches
      .filter(({ lease }) => lease === 2)
      .flatMap(({ entries }) => entries.filter((entry) => entry.type === 'progress' && entry.details.total === 3));
    expect(progress[0]).toMatchObject({ details: { completed: 1 } });
  });
});

describe('when all renditions are whole', () => {
  it('nothing is encoded and the source is not fetched', async () => {
    const job = await finished(edge.addJob(clip));
    const [calls, others] = [(await ffmpeg.encoded()).length, await ffmpeg.others()];
    const fetches = job.ranges.length;
    edge.again(job);
    await finished(job);
    expect(await ffmpeg.encoded()).toHaveLength(calls);
    expect(await ffmpeg.others()).toBe(others);
    expect(job.ranges).toHaveLength(fetches);
    expect(job.fetched).toHaveLength(1);
  });

  it('what is left is made from what is stored: measures, pictures, one track of audio', async () => {
    const job = await finished(edge.addJob(clip));
    const before = new Map(job.validated);
    const calls = (await ffmpeg.encoded()).length;
    job.validated.clear();
    job.artifacts.clear();
    job.whole.delete('audio');
    edge.again(job);
    await finished(job);
    expect((await ffmpeg.encoded()).slice(calls)).toEqual([['audio']]);
    expect(job.validated).toEqual(before);
    expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
  });
});

describe('a plan', () => {
  it('with audio cannot be followed for a file without', async () => {
    const made = edge.addJob(clip);
    await finished(made);
    const job = edge.addJob(silent, made.plan);
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'cannot_follow_plan', retryable: true } });
    expect(job.commits).toEqual([]);
  });

  it('is followed although the options ask for something else now', async () => {
    const made = await finished(edge.addJob(clip, null, { ladder: [240] }));
    const job = await finished(edge.addJob(clip, made.plan, { ladder: [480] }));
    expect([...job.whole.keys()].toSorted()).toEqual(['240p', 'audio']);
  });
});
