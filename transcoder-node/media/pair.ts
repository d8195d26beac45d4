/**
 * One ffmpeg and one Shaka Packager beside it, joined by named pipes, over the renditions of `plan`, which may be a
 * part of the job's. They live and die together: a packager waits for ever on a pipe that nobody opens, so when either
 * ends badly the other is killed, and an abort kills both at once. ffmpeg prints progress even when it is stuck; the
 * values are watched, not the blocks, and every frame that enters an encoder is an advance, because what comes out of
 * one is some twenty frames behind. When the promise settles, both processes are gone.
 */
import { mkdir, statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Plan } from '../../src/contract/job.ts';
import { TaskFailure } from '../errors.ts';
import { FULL_DISK_BYTES } from '../limits.ts';
import type { Binaries } from './binaries.ts';
import { type Ended, run } from './child.ts';
import { encodeArgs, QUIET } from './ffmpeg-args.ts';
import { packagerArgs } from './packager-args.ts';
import { openPipes } from './pipes.ts';
import type { Source } from './probe.ts';
import type { Reference } from './reference.ts';
import { framesMade, type Start } from './starting.ts';
import type { Watchdog } from './watchdog.ts';

export interface Pair {
  readonly binaries: Binaries;
  readonly plan: Plan;
  readonly source: Source;
  readonly input: string;
  readonly start: Start;
  /** Made on the way. */
  readonly references: readonly Reference[];
  /** Where segments and playlists appear; made here. */
  readonly folder: string;
  readonly nice: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Told of every advance. */
  readonly watchdog: Watchdog;
  /** A rendition has so many frames: those of earlier takes, and those its encoder has been given. */
  readonly onFrame: (rendition: string, frames: number) => void;
}

const pipeOf = (rendition: string): string => `${rendition}.pipe`;

/** What ffmpeg prints for each part of a picture or packet that could not be decoded. */
const DECODE_ERROR = /error while decoding|error submitting packet/i;
const DISK_FULL = /no space left on device/i;

/** Resolves with the number of decoding errors on the way. */
export async function runPair(pair: Pair): Promise<{ decodeErrors: number }> {
  const { binaries, plan, folder, signal, nice, watchdog } = pair;
  const renditions = [...plan.video.map(({ name }) => name), ...(plan.audio ? [plan.audio.name] : [])];
  let decodeErrors = 0;
  let diskFull = false;
  const onComplaint = (line: string) => {
    if (DECODE_ERROR.test(line)) decodeErrors += 1;
    if (DISK_FULL.test(line)) diskFull = true;
  };
  const onFrame: Pair['onFrame'] = (rendition, frames) => {
    watchdog.advance();
    pair.onFrame(rendition, frames);
  };
  const apart = new AbortController();
  const together = {
    ...{ cwd: folder, nice, onComplaint },
    signal: AbortSignal.any([signal, watchdog.signal, apart.signal]),
  };
  const watch = (tool: string) => (ended: Ended) => {
    if (ended.ok || ended.aborted) return;
    pair.log.error({ tool, how: ended.how, stderr: ended.stderr }, 'a tool ended badly');
    apart.abort(new Error(`${tool}: ${ended.how}`));
  };
  await mkdir(folder, { recursive: true });
  const pipes = await openPipes(folder, renditions.map(pipeOf), signal);
  const encoder = run({
    ...together,
    file: binaries.ffmpeg,
    args: [...QUIET, '-stats_period', '0.5', ...encodeArgs({ ...pair, pipeOf })],
    lines: [
      onAdvance(() => watchdog.advance(), pipes.release),
      ...plan.video.map((video) => frameCounter(video.name, framesMade(video, pair.start), onFrame)),
      () => watchdog.advance(),
    ],
  }).then(watch('ffmpeg'));
  await Promise.all([
    encoder.finally(pipes.release),
    run({ ...together, file: binaries.packager, args: packagerArgs(plan, pipeOf) }).then(watch('packager')),
  ]);
  signal.throwIfAborted();
  watchdog.signal.throwIfAborted();
  if (apart.signal.aborted) throw await failure(folder, diskFull, apart.signal.reason);
  return { decodeErrors };
}

async function failure(folder: string, diskFull: boolean, cause: unknown): Promise<TaskFailure> {
  const { bavail, bsize } = await statfs(folder);
  if (diskFull || bavail * bsize < FULL_DISK_BYTES) {
    return new TaskFailure('no_space', 'The disk of the transcoder is full.', { cause });
  }
  return new TaskFailure('encode_failed', 'The video could not be encoded to its end.', { cause });
}

/** ffmpeg's progress begins when all outputs are open. */
function onAdvance(advanced: () => void, begun: () => Promise<void>): (line: string) => void {
  const last = new Map<string, string>();
  return (line) => {
    if (last.size === 0) void begun();
    const [key, value] = line.split('=');
    if (value === undefined || (key !== 'frame' && key !== 'out_time_us') || last.get(key) === value) return;
    last.set(key, value);
    advanced();
  };
}

function frameCounter(rendition: string, made: number, onFrame: Pair['onFrame']): (line: string) => void {
  return (line) => {
    if (/^\d+$/.test(line)) onFrame(rendition, made + Number(line) + 1);
  };
}
