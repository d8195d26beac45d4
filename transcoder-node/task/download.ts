/**
 * Brings the source to disk. A cut connection goes on from the last byte with a Range request, after a jittered
 * pause; the tries are counted anew with every byte that arrives. The size must come out as promised.
 */
import { type FileHandle, open } from 'node:fs/promises';
import pRetry from 'p-retry';
import type { Lease } from '../edge/lease.ts';
import { EdgeRefused, EdgeUnavailable, TaskFailure, toError } from '../errors.ts';
import { DOWNLOAD_IDLE_MS, DOWNLOAD_TRIES } from '../limits.ts';

export async function download(lease: Lease, path: string, onBytes: (total: number) => void): Promise<void> {
  const size = lease.grant.source.size_bytes;
  const file = await open(path, 'w');
  let have = 0;
  const once = async () => {
    const before = have;
    try {
      for await (const chunk of bytesFrom(lease, have)) {
        have = await append(file, chunk.bytes, chunk.from);
        if (have > size) throw new TaskFailure('internal', 'The stored file is larger than what was uploaded.');
        onBytes(have);
      }
    } catch (error) {
      if (!(error instanceof EdgeUnavailable)) throw error;
      throw new Cut(error.message, have > before);
    }
    if (have < size) throw new Cut(`it ended after ${have} of ${size} bytes`, have > before);
  };
  try {
    await persist(once, lease.signal);
  } catch (error) {
    lease.signal.throwIfAborted();
    if (!(error instanceof Cut) && !(error instanceof EdgeRefused)) throw error;
    throw new TaskFailure('internal', 'The source could not be fetched by the transcoder.', { cause: error });
  } finally {
    await file.close();
  }
}

class Cut extends Error {
  readonly gained: boolean;

  constructor(message: string, gained: boolean) {
    super(message);
    this.gained = gained;
  }
}

const persist = (once: () => Promise<void>, signal: AbortSignal): Promise<void> =>
  pRetry(once, {
    retries: DOWNLOAD_TRIES - 1,
    minTimeout: 150,
    maxTimeout: 5_000,
    randomize: true,
    signal,
    shouldConsumeRetry: ({ error }) => !(error instanceof Cut && error.gained),
    shouldRetry: ({ error }) => error instanceof Cut,
  });

/** The body in pieces, each with its place in the file. A body that stands still is cut by us. */
async function* bytesFrom(lease: Lease, from: number): AsyncGenerator<{ bytes: Uint8Array; from: number }> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(new EdgeUnavailable('the download stands still')), DOWNLOAD_IDLE_MS);
  try {
    const response = await lease.download(from, AbortSignal.any([lease.signal, idle.signal]));
    let at = response.status === 206 ? from : 0;
    if (response.status === 206 && !response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
      throw new EdgeUnavailable('the answer has another range');
    }
    for await (const bytes of response.body ?? []) {
      timer.refresh();
      yield { bytes, from: at };
      at += bytes.byteLength;
    }
  } catch (error) {
    if (error instanceof TaskFailure || error instanceof EdgeRefused) throw error;
    lease.signal.throwIfAborted();
    throw new EdgeUnavailable(toError(error).message);
  } finally {
    clearTimeout(timer);
  }
}

async function append(file: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
  let written = 0;
  while (written < bytes.byteLength) {
    written += (await file.write(bytes, written, bytes.byteLength - written, at + written)).bytesWritten;
  }
  return at + written;
}
