/**
 * Poster and storyboard, read back from the pictures. The clips tell the time by their brightness, so that a thumbnail
 * can be asked which moment it shows.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobOptions, type Plan, type PlannedVideo } from '../../src/contract/job.ts';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import { makePoster, makeStoryboard, thumbnailSize, thumbnailSteps } from '../../transcoder-node/media/storyboard.ts';
import { Clips, QUICK } from './clips.ts';
import { at, brightness, type Cue, cuesOf, sizeOf } from './pictures.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

interface Shape {
  readonly size?: readonly [number, number];
  readonly rate?: readonly [number, number];
  readonly seconds?: number;
}

/** The plan that a source of this shape gets. */
function planFor({ size: [width, height] = [320, 240], rate: [num, den] = [25, 1], seconds = 1 }: Shape): Plan {
  const rate = { num, den };
  const steady = { nominalRate: rate, averageRate: rate, interlaced: false, hdr: false, end: seconds, audioEnd: null };
  const source = { video: 0, audio: null, seekable: true, size: { width, height }, dropped: [], ...steady };
  return makePlan(source, JobOptions.parse({}));
}

/** A finished lowest rung: `gop` as planned, and what ffmpeg's `geq` calls the luma of each frame. */
async function rung(name: string, plan: Plan, luma: string, ...more: string[]): Promise<string> {
  const [{ width, height, fps, gop }] = plan.video as [PlannedVideo];
  const rate = `${fps.num}/${fps.den}`;
  const picture = `color=black:s=16x16:r=${rate}:d=${plan.duration},geq=lum='${luma}':cb=128:cr=128,scale=${width}:${height}`;
  const keys = ['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-movflags', '+frag_keyframe'];
  return clips.make(name, '-f', 'lavfi', '-i', picture, ...more, ...QUICK, ...keys);
}

async function spec(file: string, plan: Plan) {
  const folder = `${file}.pictures`;
  await mkdir(folder, { recursive: true });
  return { binaries: clips.binaries, file, plan, folder, signal: new AbortController().signal, nice: 0 };
}

/** All that must hold of any storyboard, however long. */
async function check(plan: Plan, file: string, seconds: number): Promise<{ cues: Cue[]; folder: string }> {
  const { vtt, sheets } = await makeStoryboard(await spec(file, plan));
  const folder = `${file}.pictures`;
  const cues = cuesOf(await readFile(vtt, 'utf8'));
  expect(cues[0]?.from).toBe('00:00:00.000');
  expect(at(cues.at(-1)?.to ?? '')).toBeCloseTo(seconds, 3);
  for (const [index, { from, to }] of cues.entries()) {
    expect(at(to)).toBeGreaterThan(at(from));
    if (index > 0) expect(from).toBe(cues[index - 1]?.to);
  }
  expect([...new Set(cues.map(({ sheet }) => join(folder, sheet)))]).toEqual(sheets);
  for (const path of sheets) {
    const size = await sizeOf(clips.binaries, path);
    const own = cues.filter(({ sheet }) => join(folder, sheet) === path);
    expect(own.length).toBeLessThanOrEqual(100);
    expect(new Set(own.map(({ box }) => String(box))).size).toBe(own.length);
    for (const { box } of own) {
      expect(box[0] + box[2]).toBeLessThanOrEqual(size.width);
      expect(box[1] + box[3]).toBeLessThanOrEqual(size.height);
    }
  }
  return { cues, folder };
}

describe('a storyboard', () => {
  it.each<[string, Shape, number, string]>([
    ['one frame', { seconds: 0.04 }, 1, '160,120'],
    ['a second of portrait video', { size: [360, 640], seconds: 1 }, 1, '90,160'],
    ['a tiny picture, which is not scaled up', { size: [16, 16], seconds: 2 }, 2, '16,16'],
    ['29.97 frames a second', { rate: [30000, 1001], seconds: 5 }, 5, '160,120'],
    ['a hundred seconds, at a low rate', { seconds: 100, rate: [5, 1] }, 100, '160,120'],
    ['more than fits on one sheet, at a low rate', { seconds: 250, rate: [5, 1] }, 125, '160,120'],
  ])('covers %s', async (name, shape, count, size) => {
    const plan = planFor(shape);
    const { cues } = await check(plan, await rung(`${name}.mp4`, plan, '128'), plan.duration);
    expect(cues).toHaveLength(count);
    expect(new Set(cues.map(({ box }) => `${box[2]},${box[3]}`))).toEqual(new Set([size]));
    expect(cues.at(-1)?.sheet).toBe(`sheet-${Math.ceil(count / 100)}.jpg`);
  });

  it.each<[string, Shape & { seconds: number }, string, (t: number) => number]>([
    ['a short clip', { seconds: 20 }, '16+10*floor(T)', (t) => 16 + 10 * Math.floor(t)],
    ['a short clip, to the frame', { seconds: 10 }, '16+8*mod(N,25)', () => 16],
    [
      'a long one, of which only keyframes are decoded, at a low rate',
      { seconds: 440, rate: [5, 1] },
      '16+25*mod(floor(T/4),8)',
      (t) => 16 + 25 * (Math.floor(t / 4) % 8),
    ],
  ])('shows the moment that a cue begins with: %s', async (name, shape, luma, expected) => {
    const plan = planFor(shape);
    const { seconds } = shape;
    const { cues, folder } = await check(plan, await rung(`${name}.mp4`, plan, luma), seconds);
    for (const { from, sheet, box } of cues.filter((_, index) => index % 7 === 0)) {
      // Video range to full range, as JPEG has it.
      const shown = ((expected(at(from)) - 16) * 255) / 219;
      expect(Math.abs((await brightness(clips.binaries, join(folder, sheet), box)) - shown), from).toBeLessThan(5);
    }
  });

  it('ends where the video ends, not where the source promised', async () => {
    const promised = planFor({ seconds: 20 });
    const file = await rung('cut.mp4', planFor({ seconds: 12 }), '128');
    expect((await check(promised, file, 12)).cues).toHaveLength(12);
  });

  it('has at most a thousand thumbnails, on keyframes, for a day', () => {
    for (const seconds of [401, 4000, 4004, 3600, 24 * 3600]) {
      const [video] = planFor({ seconds }).video as [PlannedVideo];
      const { every, keys } = thumbnailSteps(seconds * 25, video);
      expect(keys).toBe(true);
      expect(every % video.gop).toBe(0);
      expect((seconds * 25) / every).toBeLessThanOrEqual(1000);
      expect((seconds * 25) / every).toBeGreaterThan(100);
    }
  });

  it('keeps sides even and at least two pixels', () => {
    const [video] = planFor({}).video as [PlannedVideo];
    expect(thumbnailSize({ ...video, width: 1920, height: 1080 })).toEqual({ width: 160, height: 90 });
    expect(thumbnailSize({ ...video, width: 2, height: 2048 })).toEqual({ width: 2, height: 160 });
    expect(thumbnailSize({ ...video, width: 426, height: 240 })).toEqual({ width: 160, height: 90 });
  });
});

describe('a poster', () => {
  it.each<[string, number, [number, number]]>([
    ['a short clip', 4, [25, 1]],
    ['a long one', 200, [5, 1]],
  ])('has the size of the rung and is not the black opening of %s', async (name, seconds, rate) => {
    const plan = planFor({ seconds, rate });
    const file = await rung(`${name} for a poster.mp4`, plan, `if(lt(T,${seconds / 4}),16,160)`);
    expect(await brightness(clips.binaries, file)).toBeLessThan(5);
    const poster = await makePoster(await spec(file, plan));
    expect(await brightness(clips.binaries, poster)).toBeGreaterThan(120);
    expect(await sizeOf(clips.binaries, poster)).toEqual({ width: 320, height: 240 });
  });

  it('is the frame, if there is only one', async () => {
    const plan = planFor({ seconds: 0.04 });
    const poster = await makePoster(await spec(await rung('single.mp4', plan, '160'), plan));
    expect(await brightness(clips.binaries, poster)).toBeGreaterThan(120);
  });
});

it('signs neither sheets nor poster', async () => {
  const plan = planFor({ seconds: 2 });
  const pictures = await spec(await rung('secret.mp4', plan, '128', '-metadata', 'title=secret'), plan);
  const { sheets } = await makeStoryboard(pictures);
  for (const path of [...sheets, await makePoster(pictures)]) {
    const bytes = (await readFile(path)).toString('latin1');
    expect(bytes).not.toContain('secret');
    expect(bytes).not.toContain('Lavc');
  }
});
