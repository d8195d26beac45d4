/**
 * One run of ffmpeg over finished files, to its end. What goes wrong
 * is this machine's fault, because the files are our own or were decoded before; so another attempt may succeed.
 */
import { statfs } from 'node:fs/promises';
import { TaskFailure } from '../errors.ts';
import { FULL_DISK_BYTES } from '../limits.ts';
import type { Binaries } from './binaries.ts';
import { run } from './child.ts';
import { QUIET } from './ffmpeg-args.ts';

export interface Workbench {
  readonly binaries: Binaries;
  /** Where ffmpeg runs and where its outputs go. It exists. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly nice: number;
}

export interface Errand {
  readonly args: readonly string[];
  /** What users are told when it fails. */
  readonly failed: string;
  /** Pictures that the first output has so far. */
  readonly onFrames?: (frames: number) => void;
}

export async function runFfmpeg({ binaries, folder, signal, nice }: Workbench, errand: Errand): Promise<void> {
  const onLine = (line: string) => {
    const frames = /^frame=\s*(\d+)/.exec(line)?.[1];
    if (frames) errand.onFrames?.(Number(frames));
  };
  const ended = await run({
    file: binaries.ffmpeg,
    args: [...QUIET, ...errand.args],
    cwd: folder,
    signal,
    nice,
    lines: [onLine],
  });
  signal.throwIfAborted();
  if (ended.ok) return;
  const cause = new Error(`ffmpeg: ${ended.how}\n${ended.stderr}`);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FULL_DISK_BYTES) {
    throw new TaskFailure('no_space', 'The disk of the transcoder is full.', { cause });
  }
  throw new TaskFailure('encode_failed', errand.failed, { cause });
}
