/**
 * How close renditions are to the source, as VMAF, all of them in one ffmpeg process. Each is scaled up to the size of
 * its reference (reference.ts), which holds the frames of the source that are sampled.
 *
 * `n_subsample=3` scores the frame in the middle of each triple. The very first score is dropped, as its triple lacks
 * the frame before. `shortest` and `repeatlast=0` end at the shorter side instead of comparing with a frozen picture.
 * The log's path is a plain name in the working folder, which needs no escaping.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Vmaf } from '../../src/contract/job.ts';
import { runFfmpeg, type Workbench } from './ffmpeg.ts';
import { SAFE_INPUT } from './ffmpeg-args.ts';
import { type Reference, samples } from './reference.ts';

export interface VmafRun extends Workbench {
  /** Made. */
  readonly references: readonly Reference[];
  /** The whole rendition as one file. */
  readonly fileOf: (rendition: string) => string;
  /** Between 0 and 1. */
  readonly onProgress?: (share: number) => void;
}

const Log = z.object({
  frames: z.array(z.object({ frameNum: z.int(), metrics: z.object({ vmaf: z.number().nullish() }) })),
});

/** By rendition. One without a single score, because too few pictures decoded, is not in the answer. */
export async function measureVmaf(spec: VmafRun): Promise<Map<string, Vmaf>> {
  const { references, folder, fileOf, onProgress } = spec;
  const [first] = references;
  if (!first) return new Map();
  const renditions = references.flatMap((reference) => reference.renditions);
  await runFfmpeg(spec, {
    args: [
      ...references.flatMap(({ path }) => ['-protocol_whitelist', 'file', '-format_whitelist', 'nut', '-i', path]),
      ...renditions.flatMap((name) => [...SAFE_INPUT, '-i', fileOf(name)]),
      ...['-filter_complex', graph(references)],
      ...renditions.flatMap((name) => ['-map', `[${name}]`, '-fps_mode', 'passthrough', '-f', 'null', '-']),
    ],
    failed: 'The renditions could not be compared with the source.',
    onFrames: (frames) => onProgress?.(Math.min(1, frames / first.frames)),
  });
  const measured = new Map<string, Vmaf>();
  for (const { renditions, every } of references) {
    for (const name of renditions) {
      const { frames } = Log.parse(JSON.parse(await readFile(join(folder, logName(name)), 'utf8')));
      const scores = frames.flatMap(({ metrics }) => metrics.vmaf ?? []).slice(every === 1 ? 0 : 1);
      if (scores.length === 0) continue;
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      measured.set(name, { mean: Math.round(mean * 100) / 100, samples: scores.length });
    }
  }
  return measured;
}

const logName = (rendition: string): string => `vmaf-${rendition}.json`;

/** The references are the first inputs, then the renditions in their order. */
function graph(references: readonly Reference[]): string {
  let input = references.length;
  return references
    .flatMap((reference, index) => {
      const { renditions, every } = reference;
      const options = `log_fmt=json:n_threads=2:n_subsample=${every === 1 ? 1 : 3}:shortest=1:repeatlast=0`;
      return [
        `[${index}:v:0]settb=1/1000,setpts=N,split=${renditions.length}${renditions.map((name) => `[r${name}]`).join('')}`,
        ...renditions.flatMap((name) => [
          `[${input++}:v:0]${samples(reference)}[d${name}]`,
          `[d${name}][r${name}]libvmaf=${options}:log_path=${logName(name)}[${name}]`,
        ]),
      ];
    })
    .join(';');
}
