/**
 * A transcoder whose encoder keeps a pace of our choice, on any machine and without load: FFMPEG_PATH names a script
 * that puts `-readrate` before ffmpeg's arguments, so that it reads its source no faster than that many times real
 * time. An encoder that makes the top rung keeps the pace `top`; one that makes only lower rungs keeps `rest`. What
 * only compares pictures (VMAF) is left alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../tools/paths.mjs';
import type { Clips } from '../transcoder/clips.ts';

export interface Pace {
  /** Width and height of the top rung. */
  readonly size: readonly [number, number];
  readonly top: number;
  readonly rest: number;
}

export class PacedTranscoder {
  /** Where it works. */
  readonly folder: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.folder = folder;
    this.#exited = once(process, 'exit');
  }

  /** Resolves when it is ready. Its folder is inside that of `clips`. */
  static async start(edge: string, clips: Clips, pace: Pace): Promise<PacedTranscoder> {
    const folder = await mkdtemp(join(clips.folder, 'paced-'));
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const child = spawn(process.execPath, [join(ROOT, 'transcoder-node/main.ts'), '--edge', edge], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { PATH, NODE_COMPILE_CACHE, WORK_DIR: folder, FFMPEG_PATH: await pacedFfmpeg(clips, pace) },
    });
    const transcoder = new PacedTranscoder(child, folder);
    await ready(child);
    return transcoder;
  }

  /** SIGKILL: it cannot say goodbye, release its lease or clean up. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess): Promise<void> {
  if (!child.stderr) throw new Error('The transcoder has no stderr');
  const lines = createInterface({ input: child.stderr });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.includes('"msg":"ready"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`The transcoder ended with ${code} before it was ready`)));
  });
}

async function pacedFfmpeg(clips: Clips, { size, top, rest }: Pace): Promise<string> {
  const path = await clips.write(
    `ffmpeg-${top}-${rest}.sh`,
    `#!/bin/sh
case "$*" in
  *libvmaf*) ;;
  *scale=${size.join(':')}:*libx264*) set -- -readrate ${top} "$@" ;;
  *libx264*) set -- -readrate ${rest} "$@" ;;
esac
exec '${clips.binaries.ffmpeg}' "$@"
`,
  );
  await chmod(path, 0o755);
  return path;
}
