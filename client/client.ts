/** The client: one server, one way to authenticate, and what can be done there. */
import { delay } from './delay.ts';
import { Jobs } from './jobs.ts';
import { checkClientOptions, type ReelwireOptions, type WatchManyOptions, type WatchOptions } from './options.ts';
import { overEventSource } from './over-event-source.ts';
import { overFetch } from './over-fetch.ts';
import { Requests } from './requests.ts';
import type { RunSettings } from './run.ts';
import { defaultUploadStore } from './upload-store.ts';
import { type Uploaded, type UploadOptions, upload } from './uploads.ts';
import { Watch } from './watch.ts';
import { WatchMany } from './watch-many.ts';
import { Webhooks } from './webhooks.ts';

const MAX_ATTEMPTS = 5;

export class Reelwire {
  readonly jobs: Jobs;
  readonly webhooks: Webhooks;
  readonly #requests: Requests;
  readonly #settings: Omit<RunSettings, 'url'>;
  readonly #uploadStore = defaultUploadStore();

  constructor(options: ReelwireOptions) {
    checkClientOptions(options);
    const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    const getToken = options.getToken ?? null;
    this.#requests = new Requests(options.url, fetch, getToken);
    this.jobs = new Jobs(this.#requests);
    this.webhooks = new Webhooks(this.#requests);
    this.#settings = {
      transport: options.EventSource ? overEventSource(options.EventSource, fetch) : overFetch(fetch),
      getToken,
      delay: options.delay ?? delay,
      maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
    };
  }

  /** Follows a job's stream, from now until the run ends or the watch is closed. */
  watch(jobId: string, options: WatchOptions = {}): Watch {
    return new Watch({ ...this.#settings, url: this.#requests.job(jobId, '/stream') }, options);
  }

  /** Follows up to 50 jobs over one connection, until all their runs have ended or the watch is closed. */
  watchMany(jobIds: readonly string[], options: WatchManyOptions = {}): WatchMany {
    return new WatchMany(
      this.#settings,
      (ids) => this.#requests.address(`/streams?jobs=${ids.join(',')}`),
      jobIds,
      options,
    );
  }

  /**
   * Uploads a file, a `File` or another `Blob`, as a new job. Whatever cuts it off, it goes on where it was, by itself
   * or with the next call. Rejects with an `ApiError` for what the server refuses, with an `UploadError` when nothing
   * helps, and with the reason of the signal.
   */
  upload(file: Blob, options: UploadOptions = {}): Promise<Uploaded> {
    const { delay, maxAttempts } = this.#settings;
    return upload({ requests: this.#requests, store: this.#uploadStore, delay, maxAttempts }, file, options);
  }
}
