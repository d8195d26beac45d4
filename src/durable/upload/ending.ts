/**
 * The end of an upload whose bytes are all here: what is left of them goes to R2, R2 puts the parts together, then the
 * job is made, or told. Each step may be repeated, so a crash, an error or a lost answer is repaired by the alarm.
 */
import { sourceKey } from '../../contract/ids.ts';
import type { UploadCore } from './core.ts';
import { type Description, PART_BYTES, type ResumableUpload } from './stored.ts';

/** When a crash in the last phase is repaired. */
export const REPAIR_MS = 10_000;

export class Ending {
  readonly #core: UploadCore;
  #running: Promise<boolean> | null = null;
  #discarding: Promise<void> | null = null;

  constructor(core: UploadCore) {
    this.#core = core;
  }

  /** False when there is nothing left that a job could have. */
  run(): Promise<boolean> {
    this.#running ??= this.#finish().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** The job ended without its source: removes what there is of it. May be repeated. */
  discard(closed: ResumableUpload): Promise<void> {
    this.#discarding ??= this.#discard(closed).finally(() => {
      this.#discarding = null;
    });
    return this.#discarding;
  }

  async #discard(closed: ResumableUpload): Promise<void> {
    const { env, store, multipart, settings } = this.#core;
    this.#core.save(closed, settings.UPLOAD_EXPIRY_MS);
    store.clearBytes();
    await multipart.abort();
    await env.INPUT.delete(sourceKey(closed.job_id));
  }

  async #finish(): Promise<boolean> {
    const { store, multipart } = this.#core;
    await this.#putLastPart();
    const size_bytes = store.offset;
    const isWhole = await multipart.complete();
    if (!isWhole) this.#core.log('the parts of an upload are gone; giving up');
    const upload = store.load();
    if (upload?.via === 'body' && upload.description) {
      if (isWhole) await this.#makeJob(upload.job_id, upload.description, size_bytes);
      await this.#core.forget();
    } else if (upload?.via === 'pieces' && upload.phase === 'whole') {
      await this.#tellJob(upload, isWhole ? size_bytes : null);
    }
    return isWhole;
  }

  async #putLastPart(): Promise<void> {
    const { store, multipart } = this.#core;
    const bytes = new Uint8Array(PART_BYTES);
    await multipart.quiet();
    const filled = store.readTail(bytes);
    if (filled === 0) return;
    await multipart.put(
      () => store.nextPart,
      bytes.subarray(0, filled),
      (part) => {
        const upload = store.load();
        if (upload?.via === 'pieces' && upload.phase === 'whole') store.transaction(() => store.addPart(part, filled));
      },
    );
  }

  async #makeJob(job_id: string, description: Description, size_bytes: number): Promise<void> {
    const { content_type, webhook = null, ...rest } = description;
    const bucket = this.#core.settings.OUTPUT_BUCKET_NAME;
    const source = { size_bytes, content_type };
    await this.#core.env.JOB.getByName(job_id).create({ job_id, bucket, source, ...rest }, webhook);
  }

  /** `size_bytes` is null when R2 has lost them. */
  async #tellJob(upload: ResumableUpload, size_bytes: number | null): Promise<void> {
    const { env, store, settings } = this.#core;
    const job = env.JOB.getByName(upload.job_id);
    if (size_bytes === null) await job.loseSource();
    if (size_bytes === null || !(await job.received(size_bytes, upload.content_type)).ok) {
      return this.discard({ ...upload, phase: 'closed' });
    }
    this.#core.save({ ...upload, phase: 'done', tries: 0 }, settings.UPLOAD_EXPIRY_MS);
    store.clearBytes();
  }
}
