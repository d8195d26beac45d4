/**
 * How close the renditions are to the source, as VMAF, all of them in one ffmpeg process with one decode of the source.
 *
 * The picture is compared at the size the source is shown at, the rendition scaled up to it: the other way round, what
 * the rendition has lost would be lost on both sides. The reference goes through the plan's shared filters and, where a
 * rung has a rate of its own, through that rung's `fps`, so that frame n is the same moment on both sides.
 *
 * Only samples are scored (sampling.ts): `select` keeps triples of neighbours, `n_subsample=3` scores the frame in the
 * middle of each. The neighbours are there because VMAF looks at motion; with them a score equals that of a full run.
 * The very first score is dropped, as its triple lacks the frame before. `setpts=N` counts the kept frames anew, so
 * that libvmaf pairs them by number and not by what two containers think of time; `shortest` and `repeatlast=0` end at
 * the shorter side instead of comparing with a frozen picture. The log's path is a plain name in the working folder,
 * which needs no escaping.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { FrameRate, Plan, PlannedVideo, Vmaf } from '../../src/contract/job.ts';
import { MAX_DURATION_SECONDS, MAX_PIXELS } from '../limits.ts';
import { runFfmpeg, type Workbench } from './ffmpeg.ts';
import { alsoRead, SAFE_INPUT } from './ffmpeg-args.ts';
import type { Size } from './ladder.ts';
import type { Source } from './probe.ts';
import { perSecond, rateText } from './rates.ts';
import { keptFrames, sampleEvery } from './sampling.ts';

export interface VmafRun extends Workbench {
  readonly source: Source;
  readonly plan: Plan;
  readonly input: string;
  /** Of the plan's renditions, those to measure: each a whole file. */
  readonly renditions: ReadonlyArray<{ readonly name: string; readonly file: string }>;
  /** Between 0 and 1. */
  readonly onProgress?: (share: number) => void;
}

/** One rendition in the graph; input 0 is the source. */
interface Side {
  readonly video: PlannedVideo;
  readonly input: number;
  readonly every: number;
}

const Log = z.object({
  frames: z.array(z.object({ frameNum: z.int(), metrics: z.object({ vmaf: z.number().nullish() }) })),
});

/** More than this is compared at this: memory and time grow with the area, and no rung is larger. */
const MOST_PIXELS = 3840 * 2160;
/** libvmaf halves the picture four times; what is smaller than this is scaled up on both sides. */
const LEAST_SIDE = 64;

/** A rendition without a single score, because too few pictures decoded, is not in the answer. */
export async function measureVmaf(spec: VmafRun): Promise<Map<string, Vmaf>> {
  const { source, plan, folder, input, renditions, onProgress } = spec;
  const sides = renditions.map(({ name }, index): Side => {
    const video = plan.video.find((candidate) => candidate.name === name);
    if (!video) throw new Error(`vmaf: ${name} is not in the plan`);
    return { video, input: index + 1, every: sampleEvery(framesOf(plan, video.fps), video.gop) };
  });
  const [first] = sides;
  if (!first) return new Map();
  const expected = keptFrames(framesOf(plan, first.video.fps), first.every);
  await runFfmpeg(spec, {
    args: [
      ...[...SAFE_INPUT, '-max_pixels', String(MAX_PIXELS), '-t', String(MAX_DURATION_SECONDS), '-i', input],
      ...renditions.flatMap(({ file }) => [...SAFE_INPUT, '-i', file]),
      ...['-filter_complex', graph(spec, sides)],
      ...sides.flatMap((side) => ['-map', `[o${side.input}]`, '-fps_mode', 'passthrough', '-f', 'null', '-']),
      ...alsoRead(source.audio),
    ],
    failed: 'The renditions could not be compared with the source.',
    onFrames: (frames) => onProgress?.(Math.min(1, frames / expected)),
  });
  const measured = new Map<string, Vmaf>();
  for (const { video, every } of sides) {
    const { frames } = Log.parse(JSON.parse(await readFile(join(folder, logName(video)), 'utf8')));
    const scores = frames.flatMap(({ metrics }) => metrics.vmaf ?? []).slice(every === 1 ? 0 : 1);
    if (scores.length === 0) continue;
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    measured.set(video.name, { mean: Math.round(mean * 100) / 100, samples: scores.length });
  }
  return measured;
}

const logName = ({ name }: PlannedVideo): string => `vmaf-${name}.json`;

const framesOf = (plan: Plan, fps: FrameRate): number => Math.max(1, Math.round(plan.duration * perSecond(fps)));

function graph({ source, plan }: VmafRun, sides: readonly Side[]): string {
  const size = comparedSize(source.size);
  const groups = [...Map.groupBy(sides, ({ video }) => rateText(video.fps)).values()];
  const shared = `[0:${source.video}]${plan.filters},split=${groups.length}${groups.map((_, g) => `[g${g}]`).join('')}`;
  const references = groups.flatMap((group, g) => {
    const [first] = group;
    if (!first) return [];
    const rate = `fps=${rateText(first.video.fps)}:`;
    const ownRate = plan.filters.includes(rate) ? '' : `${rate}start_time=0,`;
    const outs = group.map(({ input }) => `[r${input}]`).join('');
    return `[g${g}]${ownRate}${sampled(first.every, size)},split=${group.length}${outs}`;
  });
  const comparisons = sides.flatMap(({ video, input, every }) => [
    `[${input}:v:0]${sampled(every, size)}[d${input}]`,
    `[d${input}][r${input}]libvmaf=log_fmt=json:log_path=${logName(video)}:n_threads=2:n_subsample=${every === 1 ? 1 : 3}` +
      `:shortest=1:repeatlast=0[o${input}]`,
  ]);
  return [shared, ...references, ...comparisons].join(';');
}

function sampled(every: number, { width, height }: Size): string {
  const select = every === 1 ? '' : `select='lt(mod(n\\,${every})\\,3)*gte(n\\,1)',`;
  const shape = `scale=${width}:${height}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1`;
  return `${select}settb=1/1000,setpts=N,${shape}`;
}

/** The display size in even numbers, brought between the bounds. */
export function comparedSize({ width, height }: Size): Size {
  const down = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const scale = Math.max(down, LEAST_SIDE / Math.min(width, height));
  const even = (side: number): number => 2 * Math.round((side * scale) / 2);
  return { width: even(width), height: even(height) };
}
