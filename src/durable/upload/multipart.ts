/**
 * The upload in R2. It is begun with its first part, and its id is stored before that part is sent: R2 cannot list
 * uploads, an id lost is an upload lost. One part is on its way at a time, so no number is used again before the call
 * that used it has come to its end, whoever waits for it.
 */
import { sourceKey } from '../../contract/ids.ts';
import type { Env } from '../env.ts';
import { isNoSuchUpload } from '../r2-errors.ts';
import { pause } from '../timing.ts';
import { uploadGone } from './refusals.ts';
import type { UploadStore } from './store.ts';

export class Multipart {
  readonly #bucket: R2Bucket;
  readonly #store: UploadStore;
  #putting: Promise<void> | null = null;

  constructor(env: Env, store: UploadStore) {
    this.#bucket = env.INPUT;
    this.#store = store;
  }

  /**
   * Sends a part, under the number that `begin` gives when its turn has come, and hands it to `take` as soon as R2 has
   * it. `bytes` must not change before that.
   */
  async put(begin: () => number, bytes: Uint8Array, take: (part: R2UploadedPart) => void): Promise<void> {
    await this.quiet();
    const putting = this.#send(begin(), bytes, take).finally(() => {
      this.#putting = null;
    });
    this.#putting = putting;
    await putting;
  }

  /** Resolves when no part is on its way, and the last one has been taken. */
  async quiet(): Promise<void> {
    while (this.#putting) await Promise.allSettled([this.#putting]);
  }

  /** Whether no part is on its way, or none is any more before `ms` have passed. */
  async isQuiet(ms: number): Promise<boolean> {
    if (this.#putting) await Promise.race([this.quiet(), pause(ms)]);
    return this.#putting === null;
  }

  /** Puts the parts together. False when R2 has neither them nor what they make. May be repeated. */
  async complete(): Promise<boolean> {
    const upload = this.#store.load();
    if (!upload?.upload_id) return false;
    const parts = this.#store.parts();
    if (parts.length === 0) return false;
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const isInPlace = async () => (await this.#bucket.head(sourceKey(upload.job_id)))?.size === size;
    if (await isInPlace()) return true;
    await ignoring(isNoSuchUpload, this.#resume(upload.job_id, upload.upload_id).complete(parts));
    return isInPlace();
  }

  /** Removes the parts, if there are any. May be repeated. */
  async abort(): Promise<void> {
    const upload = this.#store.load();
    if (upload?.upload_id) await ignoring(isNoSuchUpload, this.#resume(upload.job_id, upload.upload_id).abort());
  }

  async #send(partNumber: number, bytes: Uint8Array, take: (part: R2UploadedPart) => void): Promise<void> {
    const multipart = await this.#begin();
    take(await multipart.uploadPart(partNumber, bytes));
  }

  async #begin(): Promise<R2MultipartUpload> {
    const upload = this.#store.load();
    if (!upload) throw uploadGone();
    if (upload.upload_id) return this.#resume(upload.job_id, upload.upload_id);
    const multipart = await this.#bucket.createMultipartUpload(sourceKey(upload.job_id));
    const now = this.#store.load();
    if (now?.via !== 'pieces' || (now.phase !== 'open' && now.phase !== 'whole')) {
      await multipart.abort();
      throw uploadGone();
    }
    this.#store.save({ ...now, upload_id: multipart.uploadId });
    return multipart;
  }

  #resume(job_id: string, upload_id: string): R2MultipartUpload {
    return this.#bucket.resumeMultipartUpload(sourceKey(job_id), upload_id);
  }
}

async function ignoring(isExpected: (error: unknown) => boolean, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}
