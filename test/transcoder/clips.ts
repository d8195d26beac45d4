/** Test clips, made with the bundled ffmpeg and kept for the run of one test file. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import { findBinaries } from '../../transcoder-node/media/capabilities.ts';

export class Clips {
  readonly folder: string;
  readonly binaries: Binaries;

  private constructor(folder: string, binaries: Binaries) {
    this.folder = folder;
    this.binaries = binaries;
  }

  static async open(): Promise<Clips> {
    const folder = await mkdtemp(join(tmpdir(), 'reelwire-test-'));
    return new Clips(folder, await findBinaries({}, folder, new AbortController().signal));
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs ffmpeg with `args` and the clip's path behind them; gives that path. */
  async make(name: string, ...args: string[]): Promise<string> {
    await execa(this.binaries.ffmpeg, ['-nostdin', '-y', '-v', 'error', ...args, this.path(name)]);
    return this.path(name);
  }

  /** Five seconds with sound, for what is over soon. */
  async short(): Promise<Buffer> {
    return this.read(await this.make('short.mp4', ...testPicture('320x240', '10', 5), ...testTone(5), ...QUICK));
  }

  /** A clip of eight minutes, longer than any test works on it; made in a moment, by repeating one of four seconds. */
  async long(): Promise<Buffer> {
    const part = await this.make('part.mp4', ...testPicture('640x360', '10', 4), ...QUICK);
    return this.read(await this.make('long.mp4', '-stream_loop', '119', '-i', part, '-c', 'copy'));
  }

  async write(name: string, bytes: Uint8Array | string): Promise<string> {
    await writeFile(this.path(name), bytes);
    return this.path(name);
  }

  /** An executable shell script; gives its path. */
  async script(name: string, body: string): Promise<string> {
    await writeFile(this.path(name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return this.path(name);
  }

  read(path: string): Promise<Buffer> {
    return readFile(path);
  }

  /** What ffprobe counts in a file: pictures (or audio frames) that decode, and the size. */
  async count(bytes: Uint8Array): Promise<{ frames: number; width: number; height: number }> {
    const path = await this.write('counted.mp4', bytes);
    const args = ['-v', 'error', '-count_frames', '-show_entries', 'stream=nb_read_frames,width,height', '-of', 'json'];
    const { stdout } = await execa(this.binaries.ffprobe, [...args, path], { env: { GCONV_PATH: this.folder } });
    const [stream] = (JSON.parse(stdout) as { streams: Array<Record<string, unknown>> }).streams;
    return {
      frames: Number(stream?.nb_read_frames),
      width: Number(stream?.width ?? 0),
      height: Number(stream?.height ?? 0),
    };
  }
}

export const testPicture = (size: string, rate: string, seconds: number): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
];
export const testTone = (seconds: number): string[] => ['-f', 'lavfi', '-i', `sine=d=${seconds}`];
export const QUICK = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
