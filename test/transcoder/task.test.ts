/** The whole way of a clip, and what arrives at the edge, counted by ffprobe. */
import { beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { QUICK, testPicture, testTone } from './clips.ts';
import { eventually } from './harness.ts';
import type { LoopbackJob } from './loopback-edge.ts';

const bed = testBed();
beforeEach(() => bed.start());

async function transcode(path: string, plan: LoopbackJob['plan'] = null): Promise<LoopbackJob> {
  const job = bed.edge.addJob(await bed.clips.read(path), plan);
  await bed.edge.until(() => job.finish);
  expect(job.finish).toHaveProperty('result');
  return job;
}

const segmentsOf = (job: LoopbackJob, name: string) =>
  job.commits.filter(({ rendition, n }) => rendition === name && n > 0);

const whole = (job: LoopbackJob, name: string): Uint8Array =>
  Buffer.concat([
    job.outputs.get(`${name}/init.mp4`) ?? Buffer.alloc(0),
    ...segmentsOf(job, name).map(({ n }) => job.outputs.get(`${name}/${n}.m4s`) ?? Buffer.alloc(0)),
  ]);

/** RFC 6381 string of an init segment, read from its avcC box: profile, constraints, level. */
function codecOf(init: Buffer | undefined): string {
  const at = init?.indexOf('avcC') ?? -1;
  return `avc1.${init?.subarray(at + 5, at + 8).toString('hex')}`;
}

describe('a clip with sound', () => {
  it('becomes renditions on one grid while it is encoded, and twice the same init segments', async () => {
    const path = await bed.clips.make('five.mp4', ...testPicture('640x360', '10', 5), ...testTone(5), ...QUICK);
    const job = await transcode(path);

    expect(job.plan?.video.map(({ name }) => name)).toEqual(['240p', '360p']);
    for (const { name, width, height, codecs } of job.plan?.video ?? []) {
      expect(segmentsOf(job, name).map(({ duration }) => duration)).toEqual([4, 1]);
      expect(await bed.clips.count(whole(job, name))).toEqual({ frames: 50, width, height });
      expect(codecOf(job.outputs.get(`${name}/init.mp4`))).toBe(codecs);
    }
    const sound = segmentsOf(job, 'audio').reduce((sum, { duration }) => sum + duration, 0);
    expect(Math.abs(sound - 5)).toBeLessThan(0.05);
    expect(job.finish).toEqual({ lease: 1, result: { duration_seconds: 5 } });

    const again = await transcode(path, job.plan);
    expect(again.entries.some(({ type }) => type === 'plan')).toBe(false);
    for (const name of ['240p', '360p', 'audio']) {
      expect(again.outputs.get(`${name}/init.mp4`)).toEqual(job.outputs.get(`${name}/init.mp4`));
      expect(segmentsOf(again, name).map(({ duration }) => duration)).toEqual(
        segmentsOf(job, name).map(({ duration }) => duration),
      );
    }
    await eventually(async () => (await bed.transcoder.folders()).length === 0);
  });

  it('points at the keyframe: the bytes from the start of the segment to the end of its first picture', async () => {
    const job = await transcode(await bed.clips.make('key.mp4', ...testPicture('320x240', '10', 5), ...QUICK));
    for (const { n, keyframe } of segmentsOf(job, '240p')) {
      const segment = job.outputs.get(`240p/${n}.m4s`) ?? Buffer.alloc(0);
      expect(segment.toString('latin1', (keyframe?.offset ?? 0) + 4, (keyframe?.offset ?? 0) + 8)).toBe('moof');
      const alone = segment.subarray(0, (keyframe?.offset ?? 0) + (keyframe?.length ?? 0));
      const picture = await bed.clips.count(
        Buffer.concat([job.outputs.get('240p/init.mp4') ?? Buffer.alloc(0), alone]),
      );
      expect(picture.frames).toBe(1);
    }
  });

  it('goes through the stages in order, and progress never falls', async () => {
    const job = await transcode(await bed.clips.make('stages.mp4', ...testPicture('320x240', '10', 5), ...QUICK));
    const stages = job.entries.flatMap((entry) => (entry.type === 'stage' ? [entry.stage] : []));
    expect(stages).toEqual(['transcoding', 'validation', 'packaging']);
    const progress = job.entries.flatMap((entry) => (entry.type === 'progress' ? [entry.progress] : []));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress).toEqual(expect.arrayContaining([50, 75]));
    expect(progress.at(-1)).toBe(85);
  });
});

describe('a frame rate that is no whole number', () => {
  it.each([
    ['23.976 keeps a grid of 4.004 s', '320x240', '24000/1001', 9, [4.004, 4.004], 216],
    ['half of 59.94 too', '160x120', '60000/1001', 9, [4.004, 4.004], 270],
  ])('%s', async (_, size, rate, seconds, grid, frames) => {
    const job = await transcode(await bed.clips.make('rate.mp4', ...testPicture(size, rate, seconds), ...QUICK));
    const name = job.plan?.video.at(-1)?.name ?? '';
    const durations = segmentsOf(job, name).map(({ duration }) => duration);
    expect(durations.slice(0, 2)).toEqual(grid);
    expect(Math.abs((await bed.clips.count(whole(job, name))).frames - frames)).toBeLessThanOrEqual(1);
  });
});
