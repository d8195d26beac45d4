/**
 * Streams a source into R2 in parts of 8 MiB: one part in memory, never more. The upload object knows of the multipart
 * upload before the first part and of each part after it, so that whatever is cut here is cleaned up there.
 */
import { sourceKey } from '../contract/ids.ts';
import type { Env } from '../durable/env.ts';
import { isNoSuchUpload } from '../durable/r2-errors.ts';
import { backoffMs, pause } from '../durable/timing.ts';
import { type Description, PART_BYTES } from '../durable/upload/stored.ts';
import type { Upload } from '../durable/upload/upload.ts';
import { ProblemError } from './problems.ts';

const TOUCH_MS = 60_000;
const COMPLETE_TRIES = 3;

export class SourceUpload {
  readonly job_id: string;
  readonly #env: Env;
  readonly #limit: number;
  #multipart: R2MultipartUpload | null = null;
  #parts = 0;
  #size = 0;
  #touchedAt = 0;

  constructor(env: Env, job_id: string, limit: number) {
    this.job_id = job_id;
    this.#env = env;
    this.#limit = limit;
  }

  /** A fresh stub each time: one that has seen its object fail stays broken. */
  get #object(): DurableObjectStub<Upload> {
    return this.#env.UPLOAD.getByName(this.job_id);
  }

  /** Returns the number of bytes. */
  async store(chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const part = new Uint8Array(PART_BYTES);
    let filled = 0;
    for await (const chunk of chunks) {
      this.#size += chunk.length;
      await this.#touch();
      if (this.#size > this.#limit) throw tooLarge(this.#limit);
      for (let rest = chunk; rest.length > 0; ) {
        const piece = rest.subarray(0, PART_BYTES - filled);
        part.set(piece, filled);
        filled += piece.length;
        rest = rest.subarray(piece.length);
        if (filled === PART_BYTES) {
          await this.#put(part);
          filled = 0;
        }
      }
    }
    if (this.#size === 0) throw new ProblemError('empty_file', 'The file has no bytes. Send a video.');
    if (filled > 0) await this.#put(part.subarray(0, filled));
    return this.#size;
  }

  async complete(description: Description): Promise<void> {
    if (!(await this.#repeated(() => this.#object.complete(this.job_id, description)))) throw givenUp();
  }

  /** Leaves nothing behind. When even that fails, the upload object's alarm will do it. */
  async abort(): Promise<void> {
    if (!this.#multipart) return;
    try {
      await this.#object.abort();
    } catch (error) {
      console.error(JSON.stringify({ msg: 'an upload could not be aborted', job: this.job_id, error: String(error) }));
    }
  }

  /** A call that may be repeated, when the object was away. */
  async #repeated<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; tries < COMPLETE_TRIES - 1; tries++) {
      try {
        return await call();
      } catch (error) {
        console.error(JSON.stringify({ msg: 'upload object is away', job: this.job_id, error: String(error) }));
        await pause(backoffMs(tries));
      }
    }
    return call();
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (!this.#multipart) {
      const id = await this.#object.begin(this.job_id);
      this.#multipart = this.#env.INPUT.resumeMultipartUpload(sourceKey(this.job_id), id);
    }
    this.#parts += 1;
    const part = await this.#uploadPart(this.#multipart, bytes);
    if (!(await this.#object.addPart(part, bytes.length))) throw givenUp();
    this.#touchedAt = Date.now();
  }

  async #uploadPart(multipart: R2MultipartUpload, bytes: Uint8Array): Promise<R2UploadedPart> {
    try {
      return await multipart.uploadPart(this.#parts, bytes);
    } catch (error) {
      throw isNoSuchUpload(error) ? givenUp() : error;
    }
  }

  /** A slow client fills no part for a long time; its bytes are a sign of life all the same. */
  async #touch(): Promise<void> {
    if (!this.#multipart || Date.now() - this.#touchedAt < TOUCH_MS) return;
    this.#touchedAt = Date.now();
    await this.#object.touch();
  }
}

const givenUp = (): ProblemError =>
  new ProblemError('body_incomplete', 'The upload was silent for too long and has been given up. Send it again.');

export const tooLarge = (limit: number): ProblemError =>
  new ProblemError('too_large', `A video may have at most ${limit} bytes.`);
