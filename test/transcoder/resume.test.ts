/** The next attempt makes what is missing and nothing else; what ffmpeg encoded is counted by its calls. */
import { basename } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { QUICK, testPicture, testTone } from './clips.ts';
import { type Counted, counted } from './counted.ts';
import type { LoopbackJob } from './loopback-edge.ts';

const SECONDS = 5;
const bed = testBed();
let ffmpeg: Counted;
let clip: Buffer;
let large: Buffer;
let silent: Buffer;
beforeAll(async () => {
  const make = (name: string, ...args: string[]) => bed.clips.make(name, ...args, ...QUICK);
  clip = await bed.clips.read(await make('clip.mp4', ...testPicture('640x360', '30', SECONDS), ...testTone(SECONDS)));
  large = await bed.clips.read(await make('large.mp4', ...testPicture('640x360', '30', 13), ...testTone(13)));
  silent = await bed.clips.read(await make('silent.mp4', ...testPicture('640x360', '30', 2)));
});
beforeEach(async () => {
  ffmpeg = await counted(bed.clips, 'ffmpeg');
  await bed.start({}, ffmpeg.binaries);
});

async function finished(job: LoopbackJob, duration_seconds = SECONDS): Promise<LoopbackJob> {
  await bed.edge.until(() => job.finish);
  expect(job.finish).toMatchObject({ result: { duration_seconds } });
  return job;
}

const frames = async (job: LoopbackJob, name: string): Promise<number> => {
  const parts = job.commits
    .filter(({ rendition }) => rendition === name)
    .map(({ n }) => job.outputs.get(`${name}/${n === 0 ? 'init.mp4' : `${n}.m4s`}`) ?? Buffer.alloc(0));
  return (await bed.clips.count(Buffer.concat(parts))).frames;
};

describe('after an attempt that was killed in the middle', () => {
  it('only the unfinished renditions are encoded, whole, on the same grid', async () => {
    const job = bed.edge.addJob(large);
    await bed.edge.until(() => job.whole.has('240p') && job.whole.has('audio'));
    const rest = (await bed.transcoder.tools()).find(
      ({ cwd, exe }) => basename(cwd) === 'rest' && exe.endsWith('ffmpeg'),
    );
    process.kill(rest?.pid ?? Number.NaN, 'SIGKILL');
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'encode_failed', retryable: true } });
    const [plan, early] = [job.plan, [...job.whole.keys()].toSorted()];
    expect(early).toEqual(['240p', 'audio']);

    bed.edge.again(job);
    await finished(job, 13);
    expect(job.plan).toBe(plan);
    const calls = await ffmpeg.encoded();
    expect(calls.slice(0, 2).toSorted()).toEqual([['240p', 'audio'], ['360p']]);
    expect(calls.slice(2)).toEqual([['360p']]);
    for (const name of ['240p', '360p']) {
      expect(await frames(job, name)).toBe(390);
      const durations = job.commits.filter(({ rendition, n }) => rendition === name && n > 0);
      expect(durations.map(({ duration }) => duration)).toEqual([4, 4, 4, 1]);
    }
    expect([...job.validated.keys()].toSorted()).toEqual(['240p', '360p']);
    expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
    expect(job.fetched[0]).toBe('240p/t1/init.mp4');
    const progress = job.batches
      .filter(({ lease }) => lease === 2)
      .flatMap(({ entries }) => entries.filter((entry) => entry.type === 'progress' && entry.details.total === 2));
    expect(progress[0]).toMatchObject({ details: { completed: 1 } });
  });
});

describe('when all renditions are whole', () => {
  it('nothing is encoded and the source is not fetched', async () => {
    const job = await finished(bed.edge.addJob(clip));
    const [calls, others] = [(await ffmpeg.encoded()).length, await ffmpeg.others()];
    const fetches = job.ranges.length;
    bed.edge.again(job);
    await finished(job);
    expect(await ffmpeg.encoded()).toHaveLength(calls);
    expect(await ffmpeg.others()).toBe(others);
    expect(job.ranges).toHaveLength(fetches);
    expect(job.fetched).toHaveLength(1);
  });

  it('what is left is made from what is stored: measures, pictures, one track of audio', async () => {
    const job = await finished(bed.edge.addJob(clip));
    const before = new Map(job.validated);
    const calls = (await ffmpeg.encoded()).length;
    job.validated.clear();
    job.artifacts.clear();
    job.whole.delete('audio');
    bed.edge.again(job);
    await finished(job);
    expect((await ffmpeg.encoded()).slice(calls)).toEqual([['audio']]);
    expect(job.validated).toEqual(before);
    expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
  });
});

describe('a plan', () => {
  it('with audio cannot be followed for a file without', async () => {
    const made = bed.edge.addJob(clip);
    await finished(made);
    const job = bed.edge.addJob(silent, made.plan);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'cannot_follow_plan', retryable: true } });
    expect(job.commits).toEqual([]);
  });

  it('is followed although the options ask for something else now', async () => {
    const made = await finished(bed.edge.addJob(clip, null, { ladder: [240] }));
    const job = await finished(bed.edge.addJob(clip, made.plan, { ladder: [360] }));
    expect([...job.whole.keys()].toSorted()).toEqual(['240p', 'audio']);
  });
});
