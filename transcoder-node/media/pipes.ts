/**
 * The named pipes between ffmpeg and the packager, each filled with 64 KiB of empty boxes before either opens it.
 *
 * Shaka Packager 3.4.2 looks at the first 64 KiB of an input before it begins (kInitBufSize in demuxer.cc), so quiet
 * audio of 1 KB a second would show its first segment after a minute; the padding takes the place of those bytes.
 * `free` boxes mean nothing (ISO 14496-12, 8.1.2). Our end stays open until `release`, because a pipe that nobody has
 * open forgets what is in it; after that, the end of ffmpeg is the end of the stream.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** Writes of up to 4096 bytes (PIPE_BUF) are all or nothing, so a box is never cut. */
const BOX_BYTES = 4096;
const BOXES = 16;

export interface Pipes {
  /** To be called when ffmpeg has opened all of them, or has ended; more than once does no harm. Never rejects. */
  release(): Promise<void>;
}

export async function openPipes(folder: string, names: readonly string[], signal: AbortSignal): Promise<Pipes> {
  await execa('mkfifo', names, { cwd: folder, cancelSignal: signal });
  const ends: FileHandle[] = [];
  const release = async () => {
    await Promise.allSettled(ends.splice(0).map((end) => end.close()));
  };
  try {
    for (const name of names) ends.push(await filled(join(folder, name)));
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** The writing end of a filled pipe. It can be had only while somebody reads, and that is ourselves for a moment. */
async function filled(path: string): Promise<FileHandle> {
  const both = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    await fill(both);
    return await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } finally {
    await both.close();
  }
}

async function fill(pipe: FileHandle): Promise<void> {
  const box = Buffer.alloc(BOX_BYTES);
  box.writeUInt32BE(BOX_BYTES, 0);
  box.write('free', 4, 'latin1');
  try {
    for (let n = 0; n < BOXES; n += 1) await pipe.write(box);
  } catch (error) {
    // EAGAIN: where pipes are smaller, less padding only means a later first segment.
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
  }
}
