/** Frame rates as exact fractions, and the choice of the rate that a source is encoded at. */
import type { FrameRate } from '../../src/contract/job.ts';

const USUAL: readonly FrameRate[] = [
  { num: 24000, den: 1001 },
  { num: 24, den: 1 },
  { num: 25, den: 1 },
  { num: 30000, den: 1001 },
  { num: 30, den: 1 },
  { num: 50, den: 1 },
  { num: 60000, den: 1001 },
  { num: 60, den: 1 },
];
const VARIABLE: FrameRate = { num: 30, den: 1 };
/** Slower than this is a slide show; players want a picture now and then. */
const SLOWEST: FrameRate = { num: 5, den: 1 };
const FASTEST: FrameRate = { num: 60, den: 1 };
/** Relative difference up to which a measured rate is the nominal one; 24 and 23.976 are 0.1 % apart. */
const NEAR = 0.0004;
/** Relative difference from which two claims about the same source disagree. */
const DISAGREE = 0.01;
const GOP_SECONDS = 4;

export const perSecond = ({ num, den }: FrameRate): number => num / den;

/**
 * `nominal` is ffprobe's r_frame_rate (the finest grid that fits), `average` its avg_frame_rate; null when unknown.
 * A grid of exactly twice the average counts fields, as MPEG-1 and -2 do whether they are interlaced or not.
 */
export function outputRate(nominal: FrameRate | null, average: FrameRate | null): FrameRate {
  if (!nominal || !average) return VARIABLE;
  const grid = perSecond(nominal);
  const pace = perSecond(average);
  const steady = differs(grid, pace) <= DISAGREE || differs(grid, 2 * pace) <= DISAGREE;
  return steady ? snap(average) : VARIABLE;
}

/** The usual rate nearest to `rate`; a steady rate below all of them is kept. */
export function snap(rate: FrameRate): FrameRate {
  const fps = perSecond(rate);
  if (fps >= perSecond(FASTEST)) return FASTEST;
  if (fps <= perSecond(SLOWEST)) return SLOWEST;
  const [slowest] = USUAL;
  const near = USUAL.reduce((best, usual) =>
    differs(perSecond(usual), fps) < differs(perSecond(best), fps) ? usual : best,
  );
  if (near !== slowest || fps >= perSecond(near) || differs(perSecond(near), fps) < NEAR) return near;
  return rate.den <= 1001 ? reduced(rate) : reduced({ num: Math.round(fps * 1000), den: 1000 });
}

export const halved = ({ num, den }: FrameRate): FrameRate => reduced({ num, den: 2 * den });

/** Frames in a group of pictures of about four seconds: even, so that half the rate has half of it. */
export const gopOf = (rate: FrameRate): number => 2 * Math.round((perSecond(rate) * GOP_SECONDS) / 2);

/** ffmpeg's spelling: `30000/1001`; `0/0` and the like are null. */
export function parseRate(text: string | undefined): FrameRate | null {
  const [num, den] = (text ?? '').split('/').map(Number);
  return num && den && num > 0 && den > 0 ? { num, den } : null;
}

export const rateText = ({ num, den }: FrameRate): string => `${num}/${den}`;

const differs = (a: number, b: number): number => Math.abs(a - b) / Math.max(a, b);

function reduced({ num, den }: FrameRate): FrameRate {
  const divisor = gcd(num, den);
  return { num: num / divisor, den: den / divisor };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
