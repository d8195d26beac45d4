/**
 * What the renditions are compared with: frames of the source, kept without loss while it is decoded for encoding, so
 * that it need not be decoded once more to measure. There is one file for each frame rate among the renditions. Its
 * pictures have gone through the plan's shared filters and the rungs' own `fps`, so that frame n is the same moment on
 * both sides, and have the size the source is shown at: were they scaled down to a rendition, what it has lost would
 * be lost on both sides.
 *
 * Only samples are kept (sampling.ts): `select` lets triples of neighbours through, of which the one in the middle gets
 * a score. The neighbours are there because VMAF looks at motion; with them a score equals that of a full run.
 * `setpts=N` counts the kept frames anew, so that both sides are paired by number and not by what two containers think
 * of time.
 */
import { join } from 'node:path';
import type { FrameRate, Plan } from '../../src/contract/job.ts';
import type { Size } from './ladder.ts';
import { perSecond, rateText } from './rates.ts';
import { keptFrames, sampleEvery } from './sampling.ts';

export interface Reference {
  readonly fps: FrameRate;
  readonly size: Size;
  /** From one sample to the next, in frames; 1 when every frame is one. */
  readonly every: number;
  /** How many frames are kept. */
  readonly frames: number;
  /** Those that are compared with it. */
  readonly renditions: readonly string[];
  readonly path: string;
}

/** More than this is compared at this: memory and time grow with the area, and no rung is larger. */
const MOST_PIXELS = 3840 * 2160;
/** libvmaf halves the picture four times; what is smaller than this is scaled up on both sides. */
const LEAST_SIDE = 64;
/** Raw pictures take 1.5; those with the most grain take about 1 without loss. */
const BYTES_PER_PIXEL = 1;

/** For the renditions `names` of `plan`; the files belong into `folder`, and are not made here. */
export function referencesFor(plan: Plan, shown: Size, names: readonly string[], folder: string): Reference[] {
  const size = comparedSize(shown);
  const compared = plan.video.filter(({ name }) => names.includes(name));
  return [...Map.groupBy(compared, ({ fps }) => rateText(fps)).values()].flatMap((group, index) => {
    const [first] = group;
    if (!first) return [];
    const total = Math.max(1, Math.round(plan.duration * perSecond(first.fps)));
    const every = sampleEvery(total, first.gop);
    const renditions = group.map(({ name }) => name);
    const path = join(folder, `reference-${index}.nut`);
    return [{ fps: first.fps, size, every, frames: keptFrames(total, every), renditions, path }];
  });
}

/** The frames of one side, ready to be compared. */
export function samples({ every, size: { width, height } }: Pick<Reference, 'every' | 'size'>): string {
  const select = every === 1 ? '' : `select='lt(mod(n\\,${every})\\,3)*gte(n\\,1)',`;
  const shape = `scale=${width}:${height}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1`;
  return `${select}settb=1/1000,setpts=N,${shape}`;
}

/** Ut Video is the cheapest of ffmpeg's lossless codecs to write and read again. */
export const referenceOutput = ({ path }: Reference, label: string): string[] => [
  ...['-map', label, '-fps_mode', 'passthrough', '-c:v', 'utvideo', '-f', 'nut', path],
];

/** What they will take on the disk, about. */
export const bytesOf = (references: readonly Reference[]): number =>
  references.reduce((sum, { size, frames }) => sum + size.width * size.height * frames * BYTES_PER_PIXEL, 0);

/** The display size in even numbers, brought between the bounds. */
export function comparedSize({ width, height }: Size): Size {
  const down = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const scale = Math.max(down, LEAST_SIDE / Math.min(width, height));
  const even = (side: number): number => 2 * Math.round((side * scale) / 2);
  return { width: even(width), height: even(height) };
}
