/** What all that an upload object does is built on: its bindings, what it has stored, the upload in R2, the alarm. */
import { type Env, settings } from '../env.ts';
import { Multipart } from './multipart.ts';
import { UploadStore } from './store.ts';
import type { StoredUpload } from './stored.ts';

export class UploadCore {
  readonly env: Env;
  readonly store: UploadStore;
  readonly multipart: Multipart;
  readonly settings: ReturnType<typeof settings>;
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage, env: Env) {
    this.env = env;
    this.store = new UploadStore(storage);
    this.multipart = new Multipart(env, this.store);
    this.settings = settings(env);
    this.#storage = storage;
  }

  /** Writes the phase and when the alarm shall look at it; both reach the disk together. */
  save(upload: StoredUpload, wait: number): void {
    this.store.save(upload);
    void this.#storage.setAlarm(Date.now() + wait);
  }

  async forget(): Promise<void> {
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
  }

  log(msg: string, error?: unknown): void {
    const job = this.store.load()?.job_id;
    console.error(JSON.stringify({ msg, job, ...(error === undefined ? {} : { error: String(error) }) }));
  }
}
