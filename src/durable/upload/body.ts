/**
 * A body that the Worker streams to R2, part by part. It becomes a job when it is whole; of one that is not nothing
 * stays: while bytes are expected the alarm means silence, and ends it.
 */
import { sourceKey } from '../../contract/ids.ts';
import type { UploadCore } from './core.ts';
import { type Ending, REPAIR_MS } from './ending.ts';
import type { Description, StreamedUpload } from './stored.ts';

export class Body {
  readonly #core: UploadCore;
  readonly #ending: Ending;

  constructor(core: UploadCore, ending: Ending) {
    this.#core = core;
    this.#ending = ending;
  }

  /** Opens the upload in R2 and returns its id. */
  async begin(job_id: string): Promise<string> {
    const { uploadId } = await this.#core.env.INPUT.createMultipartUpload(sourceKey(job_id));
    this.#save({ via: 'body', job_id, upload_id: uploadId, description: null, tries: 0 });
    return uploadId;
  }

  /** Returns false when the upload has been given up meanwhile. */
  addPart(part: R2UploadedPart, size: number): boolean {
    const { store } = this.#core;
    const upload = this.#load();
    if (!upload) return false;
    store.transaction(() => store.addPart(part, size));
    this.#save(upload);
    return true;
  }

  touch(): void {
    const upload = this.#load();
    if (upload) this.#save(upload);
  }

  /** Returns false when the upload has been given up meanwhile. */
  async complete(job_id: string, description: Description): Promise<boolean> {
    const upload = this.#load();
    if (!upload) return (await this.#core.env.JOB.getByName(job_id).view()) !== null;
    this.#core.save({ ...upload, description }, REPAIR_MS);
    return this.#ending.run();
  }

  async abort(): Promise<void> {
    if (this.#load()?.description) return;
    await this.#core.multipart.abort();
    await this.#core.forget();
  }

  async alarm({ description }: StreamedUpload): Promise<void> {
    if (description) await this.#ending.run();
    else await this.abort();
  }

  #load(): StreamedUpload | null {
    const upload = this.#core.store.load();
    return upload?.via === 'body' ? upload : null;
  }

  #save(upload: StreamedUpload): void {
    this.#core.save(upload, this.#core.settings.UPLOAD_SILENCE_MS);
  }
}
