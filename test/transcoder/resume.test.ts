/** The next attempt makes what is missing and nothing else; what ffmpeg encoded is counted by its calls. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { QUICK, testPicture, testTone } from './clips.ts';
import { type Counted, counted } from './counted.ts';
import type { LoopbackJob } from './loopback-edge.ts';
import { type Call, callsOf, FPS, finished, GOP, picture, pictures, steady, stored } from './resuming.ts';

const bed = testBed();
let ffmpeg: Counted;
let clip: Buffer;
let even: Buffer;
let silent: Buffer;
let sounding: Buffer;
beforeAll(async () => {
  const make = async (name: string, ...args: string[]) => bed.clips.read(await bed.clips.make(name, ...args, ...QUICK));
  clip = await make('clip.mp4', ...picture(13), ...testTone(13), '-g', '30');
  even = await make('even.mp4', ...picture(8));
  silent = await make('silent.mp4', ...picture(2));
  sounding = await make('sounding.mp4', ...picture(2), ...testTone(2));
});
beforeEach(async () => {
  ffmpeg = await counted(bed.clips, 'ffmpeg');
  await bed.start({ libvmaf: false }, ffmpeg.binaries);
});

/** Another attempt for a finished job of which readers had, let us say, only so many segments. */
async function resumed(job: LoopbackJob, had: Record<string, number>, seconds = 13): Promise<Call[]> {
  for (const [name, segments] of Object.entries(had)) job.taken.cut(name, segments);
  const before = (await ffmpeg.encoded()).length;
  bed.edge.again(job);
  await finished(bed, job, seconds);
  return callsOf(ffmpeg, before);
}

describe('what readers have', () => {
  it('is left out of each rendition, wherever they were left', async () => {
    const job = await finished(bed, bed.edge.addJob(clip, null, { mp4: true }), 13);
    job.artifacts.clear();
    const made = await resumed(job, { '240p': 1, '360p': 3, audio: 2 });
    expect(made).toEqual([
      { names: ['240p', 'audio'], leftOut: [GOP] },
      { names: ['360p'], leftOut: [3 * GOP] },
    ]);
    expect(stored(job, 2, '240p')).toEqual([0, 2, 3, 4]);
    expect(stored(job, 2, '360p')).toEqual([0, 4]);
    expect(stored(job, 2, 'audio')).toEqual([0, 3, 4]);
    for (const name of ['240p', '360p']) expect(await pictures(bed.clips, job, name)).toEqual(steady(13));

    // Poster, storyboard and MP4 are made from the whole, of which the beginning was fetched.
    const mp4 = job.outputs.get('mp4/video.mp4') ?? Buffer.alloc(0);
    expect(await bed.clips.count(mp4)).toEqual({ frames: 13 * FPS, width: 640, height: 360 });
    expect([...job.artifacts.keys()].toSorted()).toEqual(['mp4', 'poster', 'storyboard']);
    expect(job.fetched.filter((path) => !path.startsWith('240p/'))).toEqual(
      ['init.mp4', '1.m4s', '2.m4s', '3.m4s'].map((name) => `360p/t1/${name}`),
    );

    // The pictures of the lowest rung are there to the end, but nobody said so.
    expect(await resumed(job, { '240p': 4, '360p': 0 })).toEqual([{ names: ['360p'], leftOut: [] }]);
    expect(stored(job, 3, '240p')).toEqual([]);
    expect(stored(job, 3, '360p')).toEqual([0, 1, 2, 3, 4]);

    // All of the sound is there, but nobody said so; how long it is, only the source tells.
    expect(await resumed(job, { audio: 4 })).toEqual([{ names: ['audio'], leftOut: [] }]);
    expect(stored(job, 4, 'audio')).toEqual([]);

    const fetches = job.ranges.length;
    expect(await resumed(job, { '240p': 4, '360p': 4 })).toEqual([]);
    expect(job.ranges).toHaveLength(fetches);
  });

  it('is all there is, if the video ends with a full segment, and with less than was promised too', async () => {
    const job = await finished(bed, bed.edge.addJob(even), 8);
    expect(await resumed(job, { '360p': 2 }, 8)).toEqual([{ names: ['360p'], leftOut: [2 * GOP] }]);
    expect(job.whole.get('360p')).toMatchObject({ segments: 2 });
    expect(stored(job, 2, '360p')).toEqual([]);

    const { plan } = job;
    if (plan) job.plan = { ...plan, duration: 13 };
    expect(await resumed(job, { '360p': 2 }, 8)).toEqual([{ names: ['360p'], leftOut: [2 * GOP] }]);
    expect(job.whole.get('360p')).toMatchObject({ segments: 2 });
    expect(job.entries).toContainEqual(expect.objectContaining({ type: 'warning', code: 'incomplete_source' }));
  });

  it('is of no use when another build of the encoder made it', async () => {
    const job = await finished(bed, bed.edge.addJob(clip), 13);
    job.taken.rebuild('360p');
    job.taken.rebuild('audio');
    const made = await resumed(job, { '240p': 2, '360p': 2, audio: 2 });
    expect(made).toEqual([
      { names: ['240p', 'audio'], leftOut: [2 * GOP] },
      { names: ['360p'], leftOut: [2 * GOP] },
      { names: ['360p'], leftOut: [] },
    ]);
    expect(stored(job, 2, '240p')).toEqual([0, 3, 4]);
    for (const name of ['360p', 'audio']) expect(stored(job, 2, name)).toEqual([0, 1, 2, 3, 4]);
    expect(job.whole.get('360p')).toEqual({ take: 2, segments: 4 });
    for (const name of ['240p', '360p']) expect(await pictures(bed.clips, job, name)).toEqual(steady(13));
  });
});

/** In MPEG-TS nothing is sought; read at four times its pace, what is there takes three seconds. */
it('reading over what is there is no standstill', async () => {
  const path = await bed.clips.make('small.ts', ...testPicture('160x120', String(FPS), 13), ...QUICK);
  const job = await finished(bed, bed.edge.addJob(await bed.clips.read(path)), 13);
  const paced = await counted(bed.clips, 'paced', '-readrate 4');
  await bed.start({ libvmaf: false, stallMs: 1_500 }, paced.binaries);
  job.taken.cut('120p', 3);
  bed.edge.again(job);
  await finished(bed, job, 13);
  expect(await paced.leftOut()).toEqual([[3 * GOP]]);
});

describe('when all renditions are whole', () => {
  it('nothing is encoded; what else is left, measures and pictures, is made from what is stored', async () => {
    await bed.start({ libvmaf: true }, ffmpeg.binaries);
    const job = await finished(bed, bed.edge.addJob(silent), 2);
    const [others, fetches] = [await ffmpeg.others(), job.ranges.length];
    expect(await resumed(job, {}, 2)).toEqual([]);
    expect(await ffmpeg.others()).toBe(others);
    expect(job.ranges).toHaveLength(fetches);
    expect(job.fetched).toHaveLength(1);

    const before = new Map(job.validated);
    job.validated.clear();
    job.artifacts.clear();
    expect(await resumed(job, {}, 2)).toEqual([]);
    expect(job.validated).toEqual(before);
    expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
  });
});

describe('a plan', () => {
  it('with audio cannot be followed for a file without', async () => {
    const made = await finished(bed, bed.edge.addJob(sounding), 2);
    const job = bed.edge.addJob(silent, made.plan);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'cannot_follow_plan', retryable: true } });
    expect(job.commits).toEqual([]);
  });

  it('is followed although the options ask for something else now', async () => {
    const made = await finished(bed, bed.edge.addJob(silent, null, { ladder: [240] }), 2);
    const job = await finished(bed, bed.edge.addJob(silent, made.plan, { ladder: [360] }), 2);
    expect([...job.whole.keys()]).toEqual(['240p']);
  });
});
