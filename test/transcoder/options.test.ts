/** What callers may choose about the outputs, as it shows in the plan. */
import { describe, expect, it } from 'vitest';
import { JobOptions } from '../../src/contract/job.ts';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import type { Source } from '../../transcoder-node/media/probe.ts';

const HD: Source = {
  ...{
    video: 0,
    audio: 1,
    size: { width: 1920, height: 1080 },
    interlaced: false,
    hdr: false,
    seekable: true,
    end: 10,
    audioEnd: 10,
    dropped: [],
  },
  ...{ nominalRate: { num: 30, den: 1 }, averageRate: { num: 30, den: 1 } },
};

const plan = (options: Partial<JobOptions>, source = HD) => makePlan(source, JobOptions.parse(options));

describe('quality', () => {
  // Peak rates of the standard ladder, by hand: 400, 800, 1400, 2800, 5000 kbit/s.
  it.each([
    ['economy', 27, [280_000, 560_000, 980_000, 1_960_000, 3_500_000]],
    ['standard', 23, [400_000, 800_000, 1_400_000, 2_800_000, 5_000_000]],
    ['high', 20, [600_000, 1_200_000, 2_100_000, 4_200_000, 7_500_000]],
  ] as const)('%s', (quality, crf, rates) => {
    const { video } = plan({ quality });
    expect(video.map(({ maxrate }) => maxrate)).toEqual(rates);
    expect(video.map(({ bufsize }) => bufsize)).toEqual(rates.map((rate) => 2 * rate));
    expect(new Set(video.map((rung) => rung.crf))).toEqual(new Set([crf]));
  });
});

describe('the ladder', () => {
  const VGA: Source = { ...HD, size: { width: 640, height: 480 } };
  const PORTRAIT: Source = { ...HD, size: { width: 720, height: 1280 } };
  it.each<[string, Source, number[] | null, string[]]>([
    ['all of it', HD, null, ['240p', '360p', '480p', '720p', '1080p']],
    ['a part, from the lowest up', HD, [1080, 360], ['360p', '1080p']],
    ['what the source lacks is left out', VGA, [360, 720, 1080], ['360p']],
    ['by the short side', PORTRAIT, [480, 720], ['480p', '720p']],
    ['none: the one that comes closest', VGA, [1080], ['480p']],
    ['none: the closest to any', HD, [100, 700], ['720p']],
    ['none: two as close, the better one', HD, [420], ['480p']],
  ])('%s', (_, source, ladder, expected) => {
    expect(plan({ ladder }, source).video.map(({ name }) => name)).toEqual(expected);
  });
});
