/**
 * One ffmpeg and one Shaka Packager beside it, joined by named pipes, over the renditions of `plan`. They live and die
 * together: a packager waits for ever on a pipe that nobody opens, so when either ends badly the other is killed, and
 * an abort kills both at once. ffmpeg prints progress even when it is stuck; the values are watched, not the blocks.
 * When the promise settles, both processes are gone.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { execa } from 'execa';
import type { Logger } from 'pino';
import type { Plan } from '../../src/contract/job.ts';
import { TaskFailure } from '../errors.ts';
import { FULL_DISK_BYTES, STALL_MS } from '../limits.ts';
import type { Binaries } from './binaries.ts';
import { type Ended, run } from './child.ts';
import { encodeArgs } from './ffmpeg-args.ts';
import { packagerArgs } from './packager-args.ts';
import type { Source } from './probe.ts';

export interface Pair {
  readonly binaries: Binaries;
  readonly plan: Plan;
  readonly source: Source;
  readonly input: string;
  /** Where segments and playlists appear; made here. */
  readonly folder: string;
  readonly nice: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** A rendition has `frames` encoded frames. */
  readonly onFrame: (rendition: string, frames: number) => void;
}

const pipeOf = (rendition: string): string => `${rendition}.pipe`;

/** What ffmpeg prints for each part of a picture or packet that could not be decoded. */
const DECODE_ERROR = /error while decoding|error submitting packet/i;

/** Resolves with the number of decoding errors on the way. */
export async function runPair(pair: Pair): Promise<{ decodeErrors: number }> {
  const { binaries, plan, folder, signal, nice } = pair;
  const renditions = [...plan.video.map(({ name }) => name), ...(plan.audio ? [plan.audio.name] : [])];
  await mkdir(folder, { recursive: true });
  await execa('mkfifo', renditions.map(pipeOf), { cwd: folder, cancelSignal: signal });

  let decodeErrors = 0;
  const onComplaint = (line: string) => {
    if (DECODE_ERROR.test(line)) decodeErrors += 1;
  };
  const apart = new AbortController();
  const stall = setTimeout(() => apart.abort(new Error(`no advance in ${STALL_MS} ms`)), STALL_MS);
  const together = { cwd: folder, nice, signal: AbortSignal.any([signal, apart.signal]) };
  const watch = (tool: string) => (ended: Ended) => {
    if (ended.ok || ended.aborted) return;
    pair.log.error({ tool, how: ended.how, stderr: ended.stderr }, 'a tool ended badly');
    apart.abort(new Error(`${tool}: ${ended.how}`));
  };
  try {
    await Promise.all([
      run({
        ...together,
        file: binaries.ffmpeg,
        args: encodeArgs({ ...pair, pipeOf }),
        onComplaint,
        lines: [onAdvance(() => stall.refresh()), ...plan.video.map(({ name }) => frameCounter(name, pair.onFrame))],
      }).then(watch('ffmpeg')),
      run({ ...together, file: binaries.packager, args: packagerArgs(plan, pipeOf) }).then(watch('packager')),
    ]);
    signal.throwIfAborted();
    if (apart.signal.aborted) throw await failure(folder, apart.signal.reason);
    return { decodeErrors };
  } finally {
    clearTimeout(stall);
  }
}

async function failure(folder: string, cause: unknown): Promise<TaskFailure> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FULL_DISK_BYTES) {
    return new TaskFailure('no_space', 'The disk of the transcoder is full.', { cause });
  }
  return new TaskFailure('encode_failed', 'The video could not be encoded to its end.', { cause });
}

function onAdvance(advanced: () => void): (line: string) => void {
  const last = new Map<string, string>();
  return (line) => {
    const [key, value] = line.split('=');
    if (value === undefined || (key !== 'frame' && key !== 'out_time_us') || last.get(key) === value) return;
    last.set(key, value);
    advanced();
  };
}

function frameCounter(rendition: string, onFrame: Pair['onFrame']): (line: string) => void {
  return (line) => {
    if (/^\d+$/.test(line)) onFrame(rendition, Number(line) + 1);
  };
}
