/**
 * A file that becomes a job, over tus: it goes on where it was after whatever cut it off, a reload or a new process too.
 * What is remembered of an upload is its address. Before there is one, it is the address of all uploads, and behind `#`
 * the name under which this one is asked for: asked again, it is the same one, so a lost answer makes no second job.
 */
import { Attempts, attemptsMade, type Patience } from './attempts.ts';
import { ApiError, isFinal, reasonOf, UploadError } from './errors.ts';
import type { SubmitOptions } from './jobs.ts';
import { Listeners } from './listeners.ts';
import { checkUploadOptions } from './options.ts';
import type { Requests } from './requests.ts';
import { SILENCE_MS, send, TUS } from './sending.ts';
import { Silence } from './silence.ts';
import type { Accepted } from './types.ts';
import { fingerprintOf, type UploadStore } from './upload-store.ts';

/** Below what the platform's smaller plans take in one request, 100 MB. */
const CHUNK_BYTES = 32 * 2 ** 20;

/** Refusals of a moment, also if the answer was cut before it said why: the next attempt asks where to go on. */
const PASSING = ['offset_conflict', 'in_progress', 'body_incomplete', 'http_409', 'http_400'];
const GONE = [404, 410];

/** In bytes. `sent`: those that are there or on their way; it may fall when a connection is lost. */
export interface UploadProgress {
  sent: number;
  total: number;
}

export interface UploadOptions extends SubmitOptions {
  /** The file's name. Default: that of the `File`, else `video`. */
  filename?: string;
  /** Told once, as soon as the job is there and can be watched; also when an old upload is gone on with. */
  onCreated?: (jobId: string) => void;
  onProgress?: (progress: UploadProgress) => void;
  /** Stops sending. What has arrived stays, and the next `upload()` of the same file goes on there. Default: none. */
  signal?: AbortSignal;
  /** Bytes in one request. Default: 32 MiB. */
  chunkBytes?: number;
  /** Where unfinished uploads are remembered; null: nowhere. Default: `localStorage`, in Node the memory of the client. */
  resume?: UploadStore | null;
  /** Attempts in a row before an upload gives up; every byte that arrives resets the count. Default: the client's. */
  maxAttempts?: number;
}

/** The job; the addresses are absolute. `webhook` as in `Accepted`, unless the upload was begun by an earlier call. */
export interface Uploaded {
  job_id: string;
  status_url: string;
  stream_url: string;
  webhook?: NonNullable<Accepted['webhook']>;
}

export interface UploadSettings extends Patience {
  readonly requests: Requests;
  readonly store: UploadStore;
}

export async function upload(settings: UploadSettings, file: Blob, options: UploadOptions): Promise<Uploaded> {
  checkUploadOptions(file, options);
  options.signal?.throwIfAborted();
  const store = options.resume === undefined ? settings.store : options.resume;
  const { key, metadata, options: wanted, webhookUrl } = options;
  const said = [settings.requests.address(''), options.filename, key, metadata, wanted, webhookUrl];
  const fingerprint = store && (await fingerprintOf(file, said));
  return new Uploading(settings, file, options, new Memory(store, fingerprint)).run();
}

/** What is remembered of one upload, if anything can be. */
class Memory {
  readonly #store: UploadStore | null;
  readonly #fingerprint: string | null;

  constructor(store: UploadStore | null, fingerprint: string | null) {
    this.#store = store;
    this.#fingerprint = fingerprint;
  }

  async get(): Promise<string | null> {
    return (this.#fingerprint !== null && (await this.#store?.get(this.#fingerprint))) || null;
  }

  async set(url: string): Promise<void> {
    if (this.#fingerprint !== null) await this.#store?.set(this.#fingerprint, url);
  }

  async forget(): Promise<void> {
    if (this.#fingerprint !== null) await this.#store?.delete(this.#fingerprint);
  }
}

class Uploading {
  readonly #requests: Requests;
  readonly #file: Blob;
  readonly #options: UploadOptions;
  readonly #memory: Memory;
  readonly #signal: AbortSignal;
  readonly #attempts: Attempts;
  readonly #maxAttempts: number;
  readonly #listeners = new Listeners<{ created: [string]; progress: [UploadProgress] }>();
  /** The most bytes the server has said it has; null before it has said anything. */
  #offset: number | null = null;

  constructor(settings: UploadSettings, file: Blob, options: UploadOptions, memory: Memory) {
    this.#requests = settings.requests;
    this.#file = file;
    this.#options = options;
    this.#memory = memory;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#maxAttempts = options.maxAttempts ?? settings.maxAttempts;
    this.#attempts = new Attempts({ delay: settings.delay, maxAttempts: this.#maxAttempts }, this.#signal);
    if (options.onCreated) this.#listeners.add('created', options.onCreated);
    if (options.onProgress) this.#listeners.add('progress', options.onProgress);
  }

  async run(): Promise<Uploaded> {
    const known = await this.#memory.get();
    try {
      return await this.#from(known ?? (await this.#begin()));
    } catch (error) {
      const isGone = error instanceof ApiError && GONE.includes(error.status);
      if (isGone) await this.#memory.forget();
      if (!isGone || known === null || this.#offset !== null) throw error;
      return await this.#from(await this.#begin());
    }
  }

  async #begin(): Promise<string> {
    const url = this.#requests.address(`/uploads#${crypto.randomUUID()}`);
    await this.#memory.set(url);
    return url;
  }

  async #from(begun: string): Promise<Uploaded> {
    const [collection = '', name] = begun.split('#');
    const made = name === undefined ? null : await this.#persist(() => this.#create(collection, name));
    const url = made ? `${collection}/${made.job_id}` : begun;
    if (made) await this.#memory.set(url);
    const job_id = url.slice(url.lastIndexOf('/') + 1);
    await this.#persist(() => this.#send(url, job_id));
    await this.#memory.forget();
    const addresses = { status_url: this.#requests.job(job_id), stream_url: this.#requests.job(job_id, '/stream') };
    return { job_id, ...addresses, ...(made?.webhook && { webhook: made.webhook }) };
  }

  async #create(url: string, name: string): Promise<Pick<Accepted, 'job_id' | 'webhook'>> {
    const headers = {
      ...TUS,
      'Idempotency-Key': name,
      'Upload-Length': String(this.#file.size),
      'Upload-Metadata': metadataOf(this.#file, this.#options),
    };
    const silence = new Silence(this.#signal, SILENCE_MS);
    try {
      return await this.#requests.json(url, { method: 'POST', headers, signal: silence.signal });
    } catch (error) {
      if (error instanceof ApiError && isRefusal(error)) await this.#memory.forget();
      throw error;
    } finally {
      silence.end();
    }
  }

  #send(url: string, job_id: string): Promise<void> {
    const { chunkBytes = CHUNK_BYTES } = this.#options;
    const onOffset = (offset: number) => {
      if (this.#offset === null) this.#listeners.call('created', job_id);
      if (offset > (this.#offset ?? -1)) this.#attempts.reset();
      this.#offset = Math.max(offset, this.#offset ?? 0);
    };
    const onSent = (sent: number) => this.#listeners.call('progress', { sent, total: this.#file.size });
    const sending = { requests: this.#requests, url, file: this.#file, chunkBytes, onOffset, onSent };
    return send(sending, this.#signal);
  }

  /** Again and again, until it succeeds, is refused, or nothing is to be gained by going on. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#attempts.untilOnline();
      this.#signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (error instanceof ApiError && isRefusal(error)) throw error;
        await this.#checkFile();
        const floorMs = error instanceof ApiError ? error.retryAfterMs : 0;
        if (!(await this.#attempts.pause(floorMs))) throw gaveUp(this.#maxAttempts, error);
      }
    }
  }

  /** Platforms do not tell a file that cannot be read from a network that does not work. */
  async #checkFile(): Promise<void> {
    try {
      await this.#file.slice(0, 1).arrayBuffer();
    } catch (error) {
      const text = `The file cannot be read any more, perhaps because it has changed: ${reasonOf(error)}. Choose it again.`;
      throw new UploadError('unreadable', text, error);
    }
  }
}

const isRefusal = (error: ApiError): boolean => isFinal(error) && !PASSING.includes(error.code);

function gaveUp(attempts: number, cause: unknown): UploadError {
  const text = `Gave up after ${attemptsMade(attempts)} in a row: ${reasonOf(cause)}. upload() goes on where it was.`;
  return new UploadError('gave_up', text, cause);
}

function metadataOf(file: Blob, { filename, key, options, metadata, webhookUrl }: UploadOptions): string {
  const fields = {
    filename: filename ?? (file instanceof File ? file.name : 'video'),
    filetype: file.type,
    key,
    options: options && JSON.stringify(options),
    metadata: metadata && JSON.stringify(metadata),
    webhook_url: webhookUrl,
  };
  const said = Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1]));
  return said.map(([name, text]) => `${name} ${base64(text)}`).join();
}

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
