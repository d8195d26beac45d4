/**
 * One rendition's way to the edge. A few uploads run side by side, but commits leave in order, init first, and only
 * after their upload; then the segment's bytes go to the end of the rendition's file. Every video segment but the last
 * must fill the grid exactly.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';
import { segmentName } from '../../src/contract/ids.ts';
import type { Plan } from '../../src/contract/job.ts';
import type { Payload } from '../edge/client.ts';
import type { Lease } from '../edge/lease.ts';
import { filePayload } from '../edge/store.ts';
import { TaskFailure } from '../errors.ts';
import { isWholeInit, segmentDuration, unifiedInit } from '../media/mp4.ts';
import { type ClosedSegment, PlaylistTail } from '../media/playlist.ts';
import type { Renditions } from './renditions.ts';

export interface Shipping {
  readonly lease: Lease;
  /** Of the job, with the renditions that this pair makes. */
  readonly plan: Plan;
  /** The pair's folder. */
  readonly folder: string;
  readonly renditions: Renditions;
  readonly signal: AbortSignal;
  /** Resolves when the last segment is closed; its rejection is ours. */
  readonly encoded: Promise<unknown>;
  /** The rendition is at the edge, and whole on this disk. */
  readonly onRendition: (name: string) => void;
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
  /** What belongs into the rendition's file: bytes, or the segment's own file. */
  readonly content: Uint8Array | string;
}

export class Lane {
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
    const name = segmentName(n);
    const path = join(folder, this.name, name);
    const init = n === 0 ? await wholeInit(path, this.#shipping) : null;
    const payload = init ? payloadOf(init) : await filePayload(path);
    await lease.upload(`${this.name}/${name}`, payload, signal);
    const duration = init ? 0 : segmentDuration(await headOf(path));
    return { bytes: payload.blob.size, sha256: payload.sha256.toString('hex'), duration, content: init ?? path };
  }

  async #commit({ n, keyframe }: ClosedSegment, { bytes, sha256, duration, content }: Stored): Promise<void> {
    const { lease, plan, renditions } = this.#shipping;
    if (this.#kind === 'video' && this.#last !== null && Math.abs(this.#last - plan.segment_seconds) > GRID_SECONDS) {
      throw new TaskFailure('encode_failed', 'The encoder left the common time grid.');
    }
    if (n > 0) this.#last = duration;
    this.duration += duration;
    lease.commit({ rendition: this.name, n, duration, bytes, sha256, keyframe });
    await renditions.append(this.name, content);
  }
}

async function wholeInit(path: string, { plan, signal }: Shipping): Promise<Uint8Array<ArrayBuffer>> {
  let written = await readFile(path);
  for (let tries = 0; tries < INIT_TRIES && !isWholeInit(written); tries += 1) {
    await sleep(INIT_GAP_MS, undefined, { signal });
    written = await readFile(path);
  }
  return new Uint8Array(unifiedInit(written, plan.duration));
}

const payloadOf = (bytes: Uint8Array<ArrayBuffer>): Payload => ({
  blob: new Blob([bytes]),
  sha256: createHash('sha256').update(bytes).digest(),
});

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
