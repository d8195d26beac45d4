/**
 * One request that brings bytes. They are collected up to a part; a part that is whole goes to R2, what remains is
 * stored when the request ends, however it ends, and on the way once a second. So at most one part of a request is in
 * memory, and a fast one hardly touches the object's disk.
 *
 * Whoever comes next stops it. Up to that turn everything it has in hand is stored, and not a byte later. With a
 * checksum nothing counts before all of it is there and right: its parts go to R2 as well, but are noted only then.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Refusal } from '../job/draft.ts';
import type { Multipart } from './multipart.ts';
import { cutOff, otherChecksum, takenOver, tooLong } from './refusals.ts';
import type { UploadStore } from './store.ts';
import { type Checksum, PART_BYTES, type Piece } from './stored.ts';

const READ_BYTES = 256 * 1024;
const STORE_EVERY_MS = 1000;

type Bytes = ReadableStream<Uint8Array>;

export class Append {
  readonly #store: UploadStore;
  readonly #multipart: Multipart;
  readonly #piece: Piece;
  /** Called about once a second while bytes come. */
  readonly #onBytes: () => void;
  readonly #hash: Hash | null;
  readonly #part = new Uint8Array(PART_BYTES);
  /** How much of the part is there, and how much of that is stored. */
  #filled = 0;
  #kept = 0;
  /** Parts in R2 that count when the checksum is right. */
  readonly #pending: R2UploadedPart[] = [];
  #tickedAt = Date.now();
  #ended: Refusal | null = null;
  #interrupt: ((reason: Refusal) => void) | null = null;

  constructor(store: UploadStore, multipart: Multipart, piece: Piece, onBytes: () => void) {
    this.#store = store;
    this.#multipart = multipart;
    this.#piece = piece;
    this.#onBytes = onBytes;
    this.#hash = piece.checksum && createHash(piece.checksum.algorithm);
  }

  /** Whether it takes no more bytes. */
  get isOver(): boolean {
    return this.#ended !== null;
  }

  /** From this turn on the upload belongs to somebody else. */
  yield(): void {
    if (this.#ended) return;
    this.#keep();
    this.#end(takenOver());
  }

  /** Nothing of what it has is wanted any more. */
  drop(reason: Refusal): void {
    this.#filled = 0;
    this.#kept = 0;
    this.#end(reason);
  }

  /** Throws when it has been stopped. */
  check(): void {
    if (this.#ended) throw this.#ended;
  }

  /** Resolves when all bytes are stored. The upload may have no more than `limit`. */
  async run(body: Bytes | null, limit: number): Promise<void> {
    this.check();
    this.#filled = this.#store.readTail(this.#part);
    this.#kept = this.#filled;
    try {
      if (this.#filled === PART_BYTES) await this.#put();
      if (body) await this.#read(body, limit);
      this.check();
      if (this.#piece.checksum) this.#count(this.#piece.checksum);
    } finally {
      if (!this.#ended) this.#keep();
      this.#end(takenOver());
    }
  }

  async #read(body: Bytes, limit: number): Promise<void> {
    const { offset, size } = this.#piece;
    const reader = body.getReader({ mode: 'byob' });
    let scratch = new ArrayBuffer(READ_BYTES);
    let received = 0;
    try {
      for (;;) {
        const read = reader.read(new Uint8Array(scratch)).catch(() => {
          throw cutOff();
        });
        const { value, done } = await this.#unlessStopped(read);
        if (done || !value) break;
        received += value.length;
        if (offset + received > limit) throw tooLong(limit);
        await this.#take(value);
        scratch = value.buffer as ArrayBuffer;
        this.#tick();
      }
    } finally {
      reader.cancel().catch(() => {});
    }
    if (size !== null && received !== size) throw cutOff();
  }

  /** What the work results in, or an error as soon as the request is stopped: a connection may hang for hours. */
  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#interrupt = reject;
      work.then(resolve, reject);
    });
  }

  async #take(bytes: Uint8Array): Promise<void> {
    this.#hash?.update(bytes);
    for (let rest = bytes; rest.length > 0; ) {
      const piece = rest.subarray(0, PART_BYTES - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#filled === PART_BYTES) await this.#put();
    }
  }

  async #put(): Promise<void> {
    const begin = (): number => {
      this.check();
      return this.#store.nextPart + this.#pending.length;
    };
    await this.#unlessStopped(this.#multipart.put(begin, this.#part, (part) => this.#noted(part)));
    this.check();
  }

  /** R2 has the part in hand. Taken over meanwhile, its bytes are stored; dropped, there is nothing to add it to. */
  #noted(part: R2UploadedPart): void {
    if (this.#filled < PART_BYTES) return;
    if (this.#piece.checksum) this.#pending.push(part);
    else this.#store.transaction(() => this.#store.addPart(part, PART_BYTES));
    this.#filled = 0;
    this.#kept = 0;
  }

  #tick(): void {
    const now = Date.now();
    if (now - this.#tickedAt < STORE_EVERY_MS) return;
    this.#tickedAt = now;
    this.#keep();
    this.#onBytes();
  }

  /** Stores what is not stored yet. */
  #keep(): void {
    if (this.#piece.checksum) return;
    this.#store.transaction(() => this.#store.appendTail(this.#part.subarray(this.#kept, this.#filled)));
    this.#kept = this.#filled;
  }

  #count({ digest }: Checksum): void {
    if (this.#hash?.digest('base64') !== digest) throw otherChecksum();
    this.#store.transaction(() => {
      for (const part of this.#pending) this.#store.addPart(part, PART_BYTES);
      this.#store.appendTail(this.#part.subarray(this.#pending.length > 0 ? 0 : this.#kept, this.#filled));
    });
  }

  #end(reason: Refusal): void {
    this.#ended ??= reason;
    this.#interrupt?.(this.#ended);
  }
}
