/**
 * One upload object per source, under the id of the job it will become. The Worker streams the bytes to R2; this
 * object remembers what must not be forgotten: the multipart upload's id before the first part is sent (R2 cannot
 * list them: an id lost is an upload lost) and each part after it.
 *
 * The end is a stored phase. With a description the body is whole: R2 puts the parts together, then the job is made;
 * both may be repeated, so a crash or a lost answer is repaired by the alarm. Without one the alarm means silence:
 * the upload is aborted and nothing is left.
 */
import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import { sourceKey, WebhookId } from '../contract/ids.ts';
import { JobOptions, Key, Metadata } from '../contract/job.ts';
import { type Env, settings } from './env.ts';
import { isNoSuchUpload } from './r2-errors.ts';
import { backoffMs } from './timing.ts';

/** What the form said about the video; `webhook` is the endpoint of its `webhook_url`. */
const Description = z.object({
  key: Key,
  metadata: Metadata,
  options: JobOptions,
  content_type: z.string(),
  /** Who sent it. */
  by: z.string().default('the API'),
  webhook: WebhookId.nullish(),
});
export type Description = z.infer<typeof Description>;

const Stored = z.object({
  job_id: z.string(),
  upload_id: z.string(),
  /** Null while bytes are coming. */
  description: Description.nullable(),
  tries: z.int(),
});
type Stored = z.infer<typeof Stored>;

const Part = z.object({ partNumber: z.int(), etag: z.string(), size: z.int() });
type Part = z.infer<typeof Part>;

/** When a crash in the last phase is repaired. */
const REPAIR_MS = 10_000;

/** Keys sort as numbers do. */
const partKey = (n: number): string => `part:${String(n).padStart(5, '0')}`;

export class Upload extends DurableObject<Env> {
  /** Opens the multipart upload and returns its id. */
  async begin(job_id: string): Promise<string> {
    const { uploadId } = await this.env.INPUT.createMultipartUpload(sourceKey(job_id));
    await this.#save({ job_id, upload_id: uploadId, description: null, tries: 0 });
    return uploadId;
  }

  /** A part of `size` bytes is in R2. Returns false when the upload has been given up meanwhile. */
  async addPart({ partNumber, etag }: R2UploadedPart, size: number): Promise<boolean> {
    const stored = await this.#load();
    if (!stored) return false;
    const part: Part = { partNumber, etag, size };
    await Promise.all([this.ctx.storage.put(partKey(partNumber), part), this.#save(stored)]);
    return true;
  }

  /** Bytes are coming, though no part is whole yet: puts the silence off. */
  async touch(): Promise<void> {
    const stored = await this.#load();
    if (stored) await this.#save(stored);
  }

  /**
   * The body is whole. After the answer the job exists; false when the upload has been given up meanwhile. May be
   * repeated.
   */
  async complete(job_id: string, description: Description): Promise<boolean> {
    const stored = await this.#load();
    if (!stored) return (await this.env.JOB.getByName(job_id).view()) !== null;
    await this.#save({ ...stored, description }, REPAIR_MS);
    return this.#finish(stored, description);
  }

  /** The body is not to be had: removes every trace. Once the body is whole it is too late, and nothing happens. */
  async abort(): Promise<void> {
    const stored = await this.#load();
    if (stored?.description) return;
    if (stored) await ignoring(isNoSuchUpload, this.#multipart(stored).abort());
    await this.#forget();
  }

  override async alarm(): Promise<void> {
    const stored = await this.#load();
    if (!stored) return;
    try {
      if (stored.description) await this.#finish(stored, stored.description);
      else await this.abort();
    } catch (error) {
      console.error(JSON.stringify({ msg: 'upload alarm failed', job: stored.job_id, error: String(error) }));
      await this.#save({ ...stored, tries: stored.tries + 1 }, 1000 + backoffMs(stored.tries));
    }
  }

  /** Returns false when there is nothing left that a job could be made of. */
  async #finish(stored: Stored, description: Description): Promise<boolean> {
    const { key, metadata, options, content_type, by, webhook = null } = description;
    const { job_id } = stored;
    const parts = [...(await this.ctx.storage.list({ prefix: 'part:' })).values()].map((part) => Part.parse(part));
    const size_bytes = parts.reduce((sum, { size }) => sum + size, 0);
    const isInPlace = async () => (await this.env.INPUT.head(sourceKey(job_id)))?.size === size_bytes;
    if (!(await isInPlace())) await ignoring(isNoSuchUpload, this.#multipart(stored).complete(parts));
    const isWhole = await isInPlace();
    if (isWhole) {
      const bucket = settings(this.env).OUTPUT_BUCKET_NAME;
      const source = { size_bytes, content_type };
      await this.env.JOB.getByName(job_id).create({ job_id, key, bucket, source, options, metadata, by }, webhook);
    } else {
      console.error(JSON.stringify({ msg: 'the parts of an upload are gone; giving up', job: job_id }));
    }
    await this.#forget();
    return isWhole;
  }

  #multipart({ job_id, upload_id }: Stored): R2MultipartUpload {
    return this.env.INPUT.resumeMultipartUpload(sourceKey(job_id), upload_id);
  }

  async #load(): Promise<Stored | null> {
    const stored = await this.ctx.storage.get('upload');
    return stored === undefined ? null : Stored.parse(stored);
  }

  /** Writes the phase and puts the alarm off. */
  async #save(stored: Stored, wait = settings(this.env).UPLOAD_SILENCE_MS): Promise<void> {
    await Promise.all([this.ctx.storage.put('upload', stored), this.ctx.storage.setAlarm(Date.now() + wait)]);
  }

  async #forget(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }
}

async function ignoring(isExpected: (error: unknown) => boolean, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}
