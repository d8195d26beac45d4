/** The sampled VMAF against a full run over the same files, and against renditions that are bad on purpose. */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Vmaf } from '../../src/contract/job.ts';
import { TaskFailure } from '../../transcoder-node/errors.ts';
import { comparedSize } from '../../transcoder-node/media/reference.ts';
import { keptFrames, sampleEvery } from '../../transcoder-node/media/sampling.ts';
import { measureVmaf } from '../../transcoder-node/media/vmaf.ts';
import { Clips, QUICK, testPicture } from './clips.ts';
import { makeRungs, type Rungs } from './rungs.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

/** With `other`, that file in the place of each rendition. */
function measure({ references, folder, file }: Rungs, other?: string): Promise<Map<string, Vmaf>> {
  const signal = new AbortController().signal;
  const fileOf = (name: string) => other ?? file(name);
  return measureVmaf({ binaries: clips.binaries, references, fileOf, folder, signal, nice: 0 });
}

/** Every frame, with a command of the test's own; `size` and `before` are what the source is shown as. */
async function full(file: string, input: string, size: string, before = 'null'): Promise<number[]> {
  const both = `scale=${size}:flags=bicubic,format=yuv420p,setsar=1,settb=1/1000,setpts=N`;
  const graph = `[0:v]${both}[d];[1:v]${before},${both}[r];[d][r]libvmaf=n_threads=2:log_fmt=json:log_path=full.json:shortest=1`;
  const args = ['-v', 'error', '-i', file, '-i', input, '-lavfi', graph, '-f', 'null', '-'];
  await execa(clips.binaries.ffmpeg, args, { cwd: clips.folder });
  const log = JSON.parse(await readFile(clips.path('full.json'), 'utf8')) as {
    frames: Array<{ metrics: { vmaf: number } }>;
  };
  return log.frames.map(({ metrics }) => metrics.vmaf);
}

const mean = (scores: number[]): number => scores.reduce((sum, score) => sum + score, 0) / scores.length;

/** A picture that moves and zooms under film grain; `seconds` of it. */
const moving = (size: string, rate: number, seconds: number): string[] => [
  ...['-f', 'lavfi', '-i', `mandelbrot=s=${size}:r=${rate}:start_scale=0.8:end_pts=${rate * 8}`],
  ...['-f', 'lavfi', '-i', `testsrc2=s=160x120:r=${rate}`],
  ...['-filter_complex', `[0][1]overlay=x='40+30*sin(2*t)':y='20*t',noise=alls=6:allf=t`],
  ...['-t', String(seconds), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '14', '-pix_fmt', 'yuv420p'],
];

const LONG = process.env.REELWIRE_LONG === '1';
const FURTHER: [string, string, string[], number][] = [
  ['tiny', '16x16', QUICK, 25],
  ['odd sizes', '321x241', ['-c:v', 'libx264', '-pix_fmt', 'yuv444p'], 25],
  ['interlaced', '320x240', ['-vf', 'setfield=tff', '-flags', '+ilme+ildct', ...QUICK], 25],
];
const [SECONDS, SAMPLES] = LONG ? [10, 42] : [5, 21];

describe('sampled VMAF', () => {
  it('is within 0.5 of the full one on every rung, and far lower for a bad rendition', async () => {
    const input = await clips.make('moving.mp4', ...moving('640x360', 30, SECONDS));
    const rungs = await makeRungs(clips, 'moving', input);
    const sampled = await measure(rungs);
    expect([...sampled.keys()]).toEqual(['240p', '360p']);
    for (const { name } of rungs.plan.video) {
      const { mean: estimate, samples } = sampled.get(name) ?? { mean: Number.NaN, samples: 0 };
      expect(samples).toBe(SAMPLES);
      expect(Math.abs(estimate - mean(await full(rungs.file(name), input, '640x360')))).toBeLessThan(0.5);
    }

    const blurred = ['-i', rungs.file('360p'), '-vf', 'gblur=sigma=3', ...QUICK];
    const late = ['-i', rungs.file('360p'), '-vf', 'tpad=start=5:start_mode=clone', ...QUICK];
    const good = sampled.get('360p')?.mean ?? 0;
    for (const [name, args] of Object.entries({ blurred, late })) {
      const file = await clips.make(`${name}.mp4`, ...args);
      const bad = await measure(rungs, file);
      expect(bad.get('360p')?.mean, name).toBeLessThan(good - 15);
    }
  });

  /** Half the rate, rotated, with wide pixels: the reference must go through all of it or the frames do not match. */
  it('compares small rungs of a fast, turned, anamorphic clip at their own rate and the size that is shown', async () => {
    const flat = await clips.make('flat.mp4', ...moving('480x240', 60, 2), '-aspect', '8:3');
    const input = await clips.make('turned.mp4', '-display_rotation:v:0', '90', '-i', flat, '-c', 'copy');
    const rungs = await makeRungs(clips, 'turned', input);
    expect(rungs.plan.video).toMatchObject([{ name: '240p', width: 240, height: 640, fps: { num: 30, den: 1 } }]);
    const sampled = await measure(rungs);
    const scores = await full(rungs.file('240p'), input, '240:640', 'fps=30:start_time=0');
    expect(sampled.get('240p')).toEqual({ mean: expect.closeTo(mean(scores), 1), samples: 60 });
    expect(sampled.get('240p')?.mean).toBeGreaterThan(70);
  });

  it.each<[string, string, string[], number]>([
    ['one frame', '320x240', ['-frames:v', '1', ...QUICK], 1],
    ['PQ', '320x240', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le', '-color_trc', 'smpte2084'], 25],
    ['variable rate', '320x240', ['-vf', "select='not(between(n,5,12))'", '-fps_mode', 'vfr', ...QUICK], 30],
    ...(LONG ? FURTHER : []),
  ])('measures every frame of a short clip: %s', async (name, size, args, samples) => {
    const hdr = name === 'PQ' ? ['-color_primaries', 'bt2020', '-colorspace', 'bt2020nc'] : [];
    const input = await clips.make(`${name}.mp4`, ...testPicture(size, '25', 1), ...args, ...hdr);
    const sampled = await measure(await makeRungs(clips, `${name}.d`, input));
    const [score] = [...sampled.values()];
    expect(score?.mean).toBeGreaterThan(70);
    expect(Math.abs((score?.samples ?? 0) - samples)).toBeLessThanOrEqual(1);
  });

  it('fails as an encoder does when a rendition cannot be read', async () => {
    const input = await clips.make('fine.mp4', ...testPicture('320x240', '25', 1), ...QUICK);
    const rungs = await makeRungs(clips, 'fine', input);
    const broken = await clips.write('broken.mp4', 'nothing');
    const failure = await measure(rungs, broken).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TaskFailure);
    expect(failure).toMatchObject({ code: 'encode_failed', retryable: true });
  });
});

describe('the choice of samples', () => {
  const HOUR = 3600 * 30;
  it.each([
    ['every frame of a second', 30, 120, 1],
    ['seven from a dozen on', 84, 120, 7],
    ['every frame when seven divides the group', 84, 28, 1],
    ['seven as long as eleven gives too few', 395, 120, 7],
    ['eleven', 396, 120, 11],
    ['eleven as long as seventeen gives too few', 543, 120, 11],
    ['seventeen', 544, 120, 17],
    ['eleven when seventeen divides the group', 544, 34, 11],
    ['seventeen still', 2975, 120, 17],
    ['the next prime', 2976, 120, 19],
    ['past a prime that divides the group', 2976, 38, 23],
    ['an hour', HOUR, 120, 619],
  ])('%s', (_, frames, gop, every) => {
    expect(sampleEvery(frames, gop)).toBe(every);
  });

  it('is 150 to 200 scores for a minute and for a day', () => {
    for (const frames of [2975, 5400, HOUR, 24 * HOUR]) {
      const samples = Math.floor(keptFrames(frames, sampleEvery(frames, 120)) / 3);
      expect(samples).toBeGreaterThanOrEqual(150);
      expect(samples).toBeLessThanOrEqual(200);
    }
  });

  it('knows how many frames are let through', () => {
    for (const every of [7, 11, 13]) {
      for (let frames = every; frames < 5 * every; frames += 1) {
        const kept = Array.from({ length: frames }, (_, n) => n).filter((n) => n >= 1 && n % every < 3);
        expect(keptFrames(frames, every)).toBe(kept.length);
      }
    }
  });
});

it('compares at the size that is shown, in even numbers, between 64 pixels and 4K', () => {
  expect(comparedSize({ width: 1920, height: 1080 })).toEqual({ width: 1920, height: 1080 });
  expect(comparedSize({ width: 241, height: 639.6 })).toEqual({ width: 242, height: 640 });
  expect(comparedSize({ width: 7680, height: 4320 })).toEqual({ width: 3840, height: 2160 });
  expect(comparedSize({ width: 16, height: 32 })).toEqual({ width: 64, height: 128 });
});
