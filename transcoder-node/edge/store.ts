/**
 * Stores a finished file under a lease. It is never in memory as a whole: the body is read from the disk as it leaves.
 * A file that is larger than one part goes in parts, one after the other, each tried again by itself;
 * an upload in parts that got lost is begun anew.
 */
import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pRetry from 'p-retry';
import { PART_BYTES, type PartStored } from '../../src/contract/transcoder.ts';
import { EdgeRefused } from '../errors.ts';
import type { Payload } from './client.ts';
import type { Lease } from './lease.ts';

/** Bytes `from` up to `to` of a file that no longer changes; all of it by default. */
export async function filePayload(file: string, from = 0, to = Number.POSITIVE_INFINITY): Promise<Payload> {
  const hash = createHash('sha256');
  const whole = await openAsBlob(file);
  const blob = whole.slice(from, Math.min(to, whole.size));
  await pipeline(createReadStream(file, { start: from, end: from + blob.size - 1 }), hash);
  return { blob, sha256: hash.digest() };
}

/** An upload in parts that the edge does not know (any more), as after a completion whose answer was lost. */
const ANEW = {
  retries: 2,
  minTimeout: 0,
  shouldRetry: ({ error }: { error: Error }) => error instanceof EdgeRefused && error.code === 'not_found',
};

/** `path` below the job's outputs. Resolves with the number of bytes. */
export async function storeFile(lease: Lease, path: string, file: string, signal: AbortSignal): Promise<number> {
  const { size } = await openAsBlob(file);
  if (size <= PART_BYTES) await lease.upload(path, await filePayload(file), signal);
  else await pRetry(() => storeInParts(lease, path, file, size, signal), { ...ANEW, signal });
  return size;
}

async function storeInParts(
  lease: Lease,
  path: string,
  file: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const upload = await lease.call((edge, held) => edge.beginParts(held, path, signal), signal);
  const parts: PartStored[] = [];
  for (let from = 0; from < size; from += PART_BYTES) {
    const payload = await filePayload(file, from, from + PART_BYTES);
    const n = parts.length + 1;
    parts.push(await lease.call((edge, held) => edge.part(held, path, upload, n, payload, signal), signal));
  }
  await lease.call((edge, held) => edge.completeParts(held, path, upload, parts, signal), signal);
}
