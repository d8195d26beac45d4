/**
 * Where to seek to in a source, so that nothing is missing at the first frame that is wanted. Containers with an index
 * find a keyframe by the time at which it is decoded; after a pause in a video of variable rate it may be shown much
 * later than the target. So a seek is tried first: the command that will follow, cut down to one packet, tells when that
 * is shown. If it is too late, the target moves further back.
 */
import type { PlannedVideo } from '../../src/contract/job.ts';
import { run } from './child.ts';
import type { Workbench } from './ffmpeg.ts';
import { QUIET, readFrom } from './ffmpeg-args.ts';
import type { Source } from './probe.ts';
import { perSecond } from './rates.ts';
import { framesMade, type MadeFrames, packetList, type Start } from './starting.ts';

/** Filters that look at neighbours must have seen some before the first frame that counts. */
const RUN_UP_SECONDS = 2;
const LEAST_RUN_UP_SECONDS = 1;
const FURTHER_BACK_SECONDS = [0, 8, 64];
/** A file that takes longer to be sought in is quicker read from its beginning. */
const SEEK_MS = 5_000;

export interface Sought {
  readonly input: string;
  readonly source: Source;
  readonly rungs: readonly PlannedVideo[];
  readonly made: MadeFrames;
}

export async function findStart(bench: Workbench, sought: Sought): Promise<Start> {
  const { source, rungs, made } = sought;
  if (!source.seekable || rungs.length === 0) return { made, seek: 0 };
  const first = Math.min(...rungs.map((rung) => framesMade(rung, { made }) / perSecond(rung.fps)));
  for (const further of FURTHER_BACK_SECONDS) {
    const seek = Math.floor(first - RUN_UP_SECONDS - further);
    if (seek <= 0) break;
    const shown = await firstShown(bench, sought, seek);
    if (shown !== null && shown <= first - LEAST_RUN_UP_SECONDS) return { made, seek };
  }
  return { made, seek: 0 };
}

/** When the first picture that a seek brings is shown, in seconds; null if it brings none. */
async function firstShown(bench: Workbench, { input, source }: Sought, seek: number): Promise<number | null> {
  const { binaries, folder, signal, nice } = bench;
  let tick = Number.NaN;
  let shown: number | null = null;
  const onLine = (line: string) => {
    const [, num, den] = /^#tb \d+: (\d+)\/(\d+)/.exec(line) ?? [];
    if (num && den) tick = Number(num) / Number(den);
    const pts = /^\d+, *-?\d+, *(-?\d+),/.exec(line)?.[1];
    if (pts) shown ??= seek + Number(pts) * tick;
  };
  const output = ['-frames:v', '1', ...packetList(source.video, 4)];
  await run({
    ...{ file: binaries.ffmpeg, cwd: folder, signal, nice },
    args: [...QUIET, ...readFrom(input, seek), ...output],
    lines: [() => undefined, onLine],
    timeoutMs: SEEK_MS,
  });
  signal.throwIfAborted();
  return shown;
}
