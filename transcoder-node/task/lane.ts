/**
 * One rendition's way to the edge. A few uploads run side by side, but commits leave in order, init first, and only
 * after their upload; then the segment's bytes go to the end of the rendition's file. Every video segment but the last
 * must fill the grid exactly. The packager counts from 1; the rendition goes on where it was. Segments that readers
 * have already are neither uploaded nor committed.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';
import { segmentName } from '../../src/contract/ids.ts';
import type { Commit, Plan } from '../../src/contract/job.ts';
import type { Payload } from '../edge/client.ts';
import type { Lease } from '../edge/lease.ts';
import { filePayload } from '../edge/store.ts';
import { TaskFailure } from '../errors.ts';
import { isWholeInit, segmentDuration, unifiedInit } from '../media/mp4.ts';
import { type ClosedSegment, PlaylistTail } from '../media/playlist.ts';
import type { Rendition } from './rendition.ts';
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
  /** The rendition is at the edge, and what was made of it here is on this disk. */
  readonly onRendition: (name: string) => void;
}

/** A rendition was begun by another build of the encoder, and is to be made anew. */
export class OtherBuild extends Error {
  override readonly name = 'OtherBuild';
}

/** An init that is caught while the packager writes it is read again. */
const INIT_TRIES = 40;
const INIT_GAP_MS = 50;
const GRID_SECONDS = 0.001;
/** By how much a segment may be shorter than the grid and need not be the last one; sound comes in frames. */
const SHORT_SECONDS = { video: GRID_SECONDS, audio: 0.05 } as const;
/** More than the boxes before a segment's `moof` ever take. */
const HEAD_BYTES = 4096;

interface Made {
  readonly n: number;
  readonly duration: number;
  readonly path: string;
  /** Null when readers have it. */
  readonly commit: Commit | null;
}

export class Lane {
  /** Settles with the last commit so far. */
  committed: Promise<void> = Promise.resolve();
  readonly #rendition: Rendition;
  readonly #after: number;
  readonly #shipping: Shipping;
  readonly #limit: LimitFunction;
  readonly #tail: PlaylistTail;
  #init: Promise<Uint8Array<ArrayBuffer>> | null = null;
  #opening: Promise<Commit> | null = null;
  #last: number | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(shipping: Shipping, limit: LimitFunction, rendition: Rendition) {
    this.#rendition = rendition;
    this.#after = rendition.after;
    this.#shipping = shipping;
    this.#limit = limit;
    this.#tail = new PlaylistTail(shipping.folder, rendition.name, rendition.kind);
  }

  async sweep(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    for (const segment of await this.#tail.next()) this.#enqueue(segment);
  }

  /** The pair is through. If it has added nothing to what was there, that is all. */
  async finish(): Promise<void> {
    await this.committed;
    if (this.#last === null && this.#after === 0) throw new TaskFailure('encode_failed', 'The encoder made no output.');
    const { name, published } = this.#rendition;
    this.#rendition.whole = true;
    this.#shipping.lease.say({ type: 'rendition', name, segments: published });
    this.#shipping.onRendition(name);
  }

  #enqueue(segment: ClosedSegment): void {
    const uploaded = this.#limit(() => this.#upload(segment));
    const before = this.committed;
    this.committed = Promise.all([uploaded, before]).then(([made]) => this.#commit(made));
    this.committed.catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  async #upload(segment: ClosedSegment): Promise<Made> {
    const { lease, signal, folder } = this.#shipping;
    signal.throwIfAborted();
    this.#init ??= this.#readInit();
    const init = await this.#init;
    const { name: rendition, published, opened } = this.#rendition;
    const path = join(folder, rendition, segmentName(segment.n));
    const duration = segmentDuration(await headOf(path));
    const n = this.#after + segment.n;
    if (n <= published) return { n, duration, path, commit: null };
    if (!opened) this.#opening ??= this.#open(init);
    const sent = filePayload(path).then(async (payload) => {
      await lease.upload(`${rendition}/${segmentName(n)}`, payload, signal);
      return described(payload);
    });
    const [stored] = await Promise.all([sent, this.#opening]);
    const commit = { rendition, n, duration, ...stored, keyframe: segment.keyframe };
    return { n, duration, path, commit };
  }

  async #open(init: Uint8Array<ArrayBuffer>): Promise<Commit> {
    const { lease, signal } = this.#shipping;
    const { name: rendition } = this.#rendition;
    const payload = payloadOf(init);
    await lease.upload(`${rendition}/${segmentName(0)}`, payload, signal);
    return { rendition, n: 0, duration: 0, ...described(payload), keyframe: null };
  }

  async #commit({ n, duration, path, commit }: Made): Promise<void> {
    const { lease, plan, encoded } = this.#shipping;
    const rendition = this.#rendition;
    const grid = plan.segment_seconds;
    // The last one, or what an encoder has left that died: the pair will tell.
    if (duration < grid - SHORT_SECONDS[rendition.kind]) await encoded;
    if (rendition.kind === 'video' && this.#last !== null && Math.abs(this.#last - grid) > GRID_SECONDS) {
      throw new TaskFailure('encode_failed', 'The encoder left the common time grid.');
    }
    this.#last = duration;
    if (commit) {
      const opening = await this.#opening;
      if (opening && !rendition.opened) {
        lease.commit(opening);
        rendition.open(opening.sha256);
      }
      lease.commit(commit);
      rendition.publish(n);
    }
    if (n === 1 && this.#init) await rendition.append(0, await this.#init, 0);
    await rendition.append(n, path, duration);
  }

  async #readInit(): Promise<Uint8Array<ArrayBuffer>> {
    const rendition = this.#rendition;
    const { folder, plan, signal } = this.#shipping;
    const path = join(folder, rendition.name, segmentName(0));
    let written = await readFile(path);
    for (let tries = 0; tries < INIT_TRIES && !isWholeInit(written); tries += 1) {
      await sleep(INIT_GAP_MS, undefined, { signal });
      written = await readFile(path);
    }
    const init = new Uint8Array(unifiedInit(written, plan.duration));
    if (rendition.init !== null && rendition.init !== payloadOf(init).sha256.toString('hex')) {
      await rendition.forget();
      if (this.#after > 0) throw new OtherBuild(`${rendition.name} was begun by another build`);
    }
    return init;
  }
}

const payloadOf = (bytes: Uint8Array<ArrayBuffer>): Payload => ({
  blob: new Blob([bytes]),
  sha256: createHash('sha256').update(bytes).digest(),
});

const described = ({ blob, sha256 }: Payload): Pick<Commit, 'bytes' | 'sha256'> => ({
  bytes: blob.size,
  sha256: sha256.toString('hex'),
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
