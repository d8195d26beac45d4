/**
 * Takes segments to the edge as the packager closes them. A few uploads run side by side, but a rendition's commits
 * leave in order, init first, and only after their upload; then the file is deleted. When the packager is through and
 * a rendition's last commit is said, the rendition is. Every video segment but the last must fill the grid exactly.
 */
import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { segmentName } from '../../src/contract/ids.ts';
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { TaskFailure } from '../errors.ts';
import { PARALLEL_UPLOADS, PLAYLIST_POLL_MS } from '../limits.ts';
import { isWholeInit, segmentDuration, unifiedInit } from '../media/mp4.ts';
import { type ClosedSegment, PlaylistTail } from '../media/playlist.ts';

export interface Shipping {
  readonly lease: Lease;
  readonly plan: Plan;
  /** The pair's folder. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Resolves when the last segment is closed; its rejection is ours. */
  readonly encoded: Promise<unknown>;
  readonly onRendition: (name: string) => void;
}

/** Resolves with the duration of each rendition, in seconds, once all of them are committed. */
export async function ship(shipping: Shipping): Promise<Map<string, number>> {
  const { plan, encoded } = shipping;
  const stop = new AbortController();
  const own = { ...shipping, signal: AbortSignal.any([shipping.signal, stop.signal]) };
  const limit = pLimit(PARALLEL_UPLOADS);
  const lanes = [
    ...plan.video.map(({ name }) => new Lane(own, limit, name, 'video')),
    ...(plan.audio ? [new Lane(own, limit, plan.audio.name, 'audio')] : []),
  ];
  let over = false;
  const end = encoded.then(() => {
    over = true;
  });
  // It may reject during a sweep, when nobody looks; the next race does.
  end.catch(() => undefined);
  try {
    for (let last = false; !last; ) {
      last = over;
      for (const lane of lanes) await lane.sweep();
      if (!last) await Promise.race([end, sleep(PLAYLIST_POLL_MS, undefined, { signal: own.signal })]);
    }
    await Promise.all(lanes.map((lane) => lane.finish()));
    return new Map(lanes.map(({ name, duration }) => [name, duration]));
  } finally {
    stop.abort();
    await Promise.allSettled(lanes.map((lane) => lane.committed));
  }
}

/** One rendition's way to the edge. */
class Lane {
  readonly name: string;
  duration = 0;
  /** Settles with the last commit so far. */
  committed: Promise<void> = Promise.resolve();
  readonly #kind: 'video' | 'audio';
  readonly #shipping: Shipping;
  readonly #limit: LimitFunction;
  readonly #tail: PlaylistTail;
  #segments = 0;
  #last: number | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(shipping: Shipping, limit: LimitFunction, name: string, kind: 'video' | 'audio') {
    this.name = name;
    this.#kind = kind;
    this.#shipping = shipping;
    this.#limit = limit;
    this.#tail = new PlaylistTail(shipping.folder, name, kind);
  }

  async sweep(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    for (const segment of await this.#tail.next()) {
      if (this.#segments === 0) this.#enqueue({ n: 0, keyframe: null });
      this.#segments = segment.n;
      this.#enqueue(segment);
    }
  }

  async finish(): Promise<void> {
    await this.committed;
    if (this.#segments === 0) throw new TaskFailure('encode_failed', 'The encoder made no output.');
    this.#shipping.lease.say({ type: 'rendition', name: this.name, segments: this.#segments });
    this.#shipping.onRendition(this.name);
  }

  #enqueue(segment: ClosedSegment): void {
    const uploaded = this.#limit(() => this.#upload(segment));
    const before = this.committed;
    this.committed = Promise.all([uploaded, before]).then(([stored]) => this.#commit(segment, stored));
    this.committed.catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  async #upload({ n }: ClosedSegment): Promise<Stored> {
    const { lease, signal, folder } = this.#shipping;
    signal.throwIfAborted();
    const path = join(folder, this.name, segmentName(n));
    const { blob, sha256 } = n === 0 ? await wholeInit(path, this.#shipping) : await closedFile(path);
    await lease.upload({ rendition: this.name, n, blob, sha256 }, signal);
    const duration = n === 0 ? 0 : segmentDuration(await headOf(path));
    await rm(path);
    return { bytes: blob.size, sha256: sha256.toString('hex'), duration };
  }

  #commit({ n, keyframe }: ClosedSegment, { bytes, sha256, duration }: Stored): void {
    const { lease, plan } = this.#shipping;
    if (this.#kind === 'video' && this.#last !== null && Math.abs(this.#last - plan.segment_seconds) > GRID_SECONDS) {
      throw new TaskFailure('encode_failed', 'The encoder left the common time grid.');
    }
    if (n > 0) this.#last = duration;
    this.duration += duration;
    lease.commit({ rendition: this.name, n, duration, bytes, sha256, keyframe });
  }
}

/** An init that is caught while the packager writes it is read again. */
const INIT_TRIES = 40;
const INIT_GAP_MS = 50;
const GRID_SECONDS = 0.001;
/** More than the boxes before a segment's `moof` ever take. */
const HEAD_BYTES = 4096;

interface Stored {
  readonly bytes: number;
  readonly sha256: string;
  readonly duration: number;
}

interface Payload {
  readonly blob: Blob;
  readonly sha256: Buffer;
}

async function wholeInit(path: string, { plan, signal }: Shipping): Promise<Payload> {
  let written = await readFile(path);
  for (let tries = 0; tries < INIT_TRIES && !isWholeInit(written); tries += 1) {
    await sleep(INIT_GAP_MS, undefined, { signal });
    written = await readFile(path);
  }
  const bytes = new Uint8Array(unifiedInit(written, plan.duration));
  return { blob: new Blob([bytes]), sha256: createHash('sha256').update(bytes).digest() };
}

async function closedFile(path: string): Promise<Payload> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { blob: await openAsBlob(path), sha256: hash.digest() };
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
