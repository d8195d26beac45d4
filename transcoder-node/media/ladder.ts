/**
 * Which rungs a source gets. Rungs are named by the short side of the picture. None is more than 2 % above the source;
 * a source that is more than 15 % above its top rung gets one at its own size, at most 1080; one below the lowest
 * rung gets its own size alone.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rung extends Size {
  readonly name: string;
  /** In bit/s. */
  readonly maxrate: number;
}

const RUNGS = [
  { short: 240, maxrate: 400_000 },
  { short: 360, maxrate: 800_000 },
  { short: 480, maxrate: 1_400_000 },
  { short: 720, maxrate: 2_800_000 },
  { short: 1080, maxrate: 5_000_000 },
] as const;
const HIGHEST = 1080;
const UPSCALE = 1.02;
const GAP = 1.15;
const LONGEST_SIDE = 8192;

/** `source` is the display size. From the lowest rung up. */
export function ladder(source: Size): Rung[] {
  const own = Math.min(source.width, source.height);
  const shorts: number[] = RUNGS.map(({ short }) => short).filter((short) => short <= own * UPSCALE);
  const top = shorts.at(-1);
  if (top === undefined || (own > top * GAP && top < HIGHEST)) shorts.push(even(Math.min(own, HIGHEST)));
  return shorts.map((short) => rung(source, short));
}

/** Of `rungs`, those whose short side is among `wanted`; if there is none, the one that comes closest to any of them. */
export function chosen(rungs: readonly Rung[], wanted: readonly number[] | null): Rung[] {
  if (wanted === null) return [...rungs];
  const away = ({ width, height }: Rung) =>
    Math.min(...wanted.map((short) => Math.abs(short - Math.min(width, height))));
  const least = Math.min(...rungs.map(away));
  const closest = rungs.filter((rung) => away(rung) === least);
  return least === 0 ? closest : closest.slice(-1);
}

function rung(source: Size, short: number): Rung {
  const own = Math.min(source.width, source.height);
  const long = Math.min(LONGEST_SIDE, even((Math.max(source.width, source.height) * short) / own));
  const portrait = source.height > source.width;
  return {
    name: `${short}p`,
    width: portrait ? short : long,
    height: portrait ? long : short,
    maxrate: maxrateOf(short),
  };
}

/** Between two rungs, in proportion to the area; below the lowest, its rate. */
function maxrateOf(short: number): number {
  const above = RUNGS.findIndex((candidate) => candidate.short >= short);
  const high = RUNGS[above];
  const low = RUNGS[above - 1];
  if (!high || !low) return (high ?? RUNGS[RUNGS.length - 1] ?? RUNGS[0]).maxrate;
  const share = (short ** 2 - low.short ** 2) / (high.short ** 2 - low.short ** 2);
  return Math.round((low.maxrate + share * (high.maxrate - low.maxrate)) / 50_000) * 50_000;
}

const even = (size: number): number => Math.max(2, 2 * Math.round(size / 2));
