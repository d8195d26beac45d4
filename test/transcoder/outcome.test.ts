/** What a job has besides its renditions: measures, poster, storyboard, a progressive MP4. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import { testBed } from './bed.ts';
import { QUICK, testPicture, testTone } from './clips.ts';
import type { Settings } from './harness.ts';
import type { LoopbackEdge, LoopbackJob } from './loopback-edge.ts';

const bed = testBed();
let clip: Buffer;
beforeAll(async () => {
  const make = [...testPicture('640x360', '10', 3), ...testTone(3), ...QUICK];
  clip = await bed.clips.read(await bed.clips.make('clip.mp4', ...make));
});

async function transcode(
  settings: Settings,
  options: Parameters<LoopbackEdge['addJob']>[2] = {},
): Promise<LoopbackJob> {
  await bed.start(settings);
  const job = bed.edge.addJob(clip, null, options);
  await bed.edge.until(() => job.finish);
  expect(job.finish).toHaveProperty('result');
  return job;
}

const all = <T extends TaskEntry['type']>(job: LoopbackJob, type: T): Array<Extract<TaskEntry, { type: T }>> =>
  job.entries.filter((entry): entry is Extract<TaskEntry, { type: T }> => entry.type === type);

describe('validation', () => {
  it('measures every rendition and moves the progress from 50 to 75', async () => {
    const job = await transcode({});
    for (const { vmaf } of all(job, 'validated')) expect(vmaf.mean).toBeGreaterThan(20);
    expect(all(job, 'validated').map(({ name }) => name)).toEqual(['240p', '360p']);
    expect(all(job, 'warning')).toEqual([]);
    const shares = all(job, 'progress').filter(({ stage }) => stage === 'validation');
    expect(shares[0]?.progress).toBe(50);
    expect(shares.at(-1)?.progress).toBe(75);
    expect(shares.at(-1)?.details.renditions.map(({ percent }) => percent)).toEqual([100, 100]);
  });

  it('warns when the best rendition is below the floor, and of that one only', async () => {
    const job = await transcode({ vmafFloor: 99.9 });
    const mean = job.validated.get('360p')?.mean;
    const details = { rendition: '360p', mean, floor: 99.9 };
    expect(all(job, 'warning').map(({ code, details: told }) => [code, told])).toEqual([['low_quality', details]]);
  });

  it('says once that there is no libvmaf, and no number', async () => {
    const job = await transcode({ libvmaf: false, vmafFloor: 99.9 });
    expect(all(job, 'warning').map(({ code }) => code)).toEqual(['vmaf_unavailable']);
    expect(all(job, 'validated')).toEqual([]);
  });
});

describe('artifacts', () => {
  it('are a poster and a storyboard whose sheets are all stored', async () => {
    const job = await transcode({ libvmaf: false });
    expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
    expect(job.outputs.get('poster/poster.jpg')?.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    const vtt = job.outputs.get('storyboard/storyboard.vtt')?.toString() ?? '';
    expect(vtt).toMatch(/^WEBVTT\n/);
    const named = new Set([...vtt.matchAll(/^(sheet-\d+\.jpg)#xywh=/gm)].map(([, sheet]) => sheet));
    expect(named.size).toBeGreaterThan(0);
    for (const sheet of named) expect(job.outputs.has(`storyboard/${sheet}`)).toBe(true);
  });

  it('are an MP4 of the best rung with the audio too, when it is asked for', async () => {
    const job = await transcode({ libvmaf: false }, { mp4: true, ladder: [360] });
    const mp4 = job.outputs.get('mp4/video.mp4') ?? Buffer.alloc(0);
    expect(await bed.clips.count(mp4)).toEqual({ frames: 30, width: 640, height: 360 });
    expect(mp4.indexOf('moov')).toBeLessThan(mp4.indexOf('mdat'));
    expect(mp4.includes('mp4a')).toBe(true);
    expect(job.artifacts.get('mp4')).toEqual([{ name: 'video.mp4', bytes: mp4.length }]);
    expect([...job.whole.keys()].toSorted()).toEqual(['360p', 'audio']);
  });
});
