/** Jobs over HTTP. What the server refuses becomes an `ApiError`; what never reached it, the error of `fetch`. */
import type { Requests } from './requests.ts';
import { streamedForm } from './streamed-form.ts';
import type { Accepted, Job, JobOptions, JobsPage, Metadata, Status, VisibleEntry } from './types.ts';

export interface EventsOptions {
  /** Only entries with a greater number. Default 0: from the first. */
  after?: number;
  /** At most so many entries, 1 to 1000. Default 100. */
  limit?: number;
}

export interface ListOptions {
  /** Only jobs in this state. Default: in any. */
  status?: Status;
  /** Only jobs whose key begins so, in upper or lower case. Default: all. */
  q?: string;
  /** At most so many jobs, 1 to 100. Default 20. */
  limit?: number;
  /** `next_cursor` of the page before. Default, or null: the first page. */
  cursor?: string | null;
}

export interface SubmitOptions {
  /** The job's label: 1 to 255 characters. Default: the file's name, else `video`. */
  key?: string;
  /** What to make of the video; what is left out has the server's default. */
  options?: Partial<JobOptions>;
  /** Strings that come back with the job, at most 2048 bytes as JSON. Default: none. */
  metadata?: Metadata;
  /** Where the job's events are sent besides the endpoints of all jobs. Default: nowhere. */
  webhookUrl?: string;
}

/** What cancel and retry answer. */
export interface Changed {
  job_id: string;
  status: Status;
}

export interface Deleted {
  job_id: string;
  status: 'deleted';
}

export class Jobs {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async get(id: string): Promise<Job> {
    return this.#requests.json(this.#requests.job(id));
  }

  /** A page of all jobs, newest first; `next_cursor` is null on the last. */
  async list({ status, q, limit = 20, cursor }: ListOptions = {}): Promise<JobsPage> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (status !== undefined) query.set('status', status);
    if (q !== undefined) query.set('q', q);
    if (cursor !== undefined && cursor !== null) query.set('cursor', cursor);
    return this.#requests.json(this.#requests.address(`/jobs?${query}`));
  }

  /** A page of the job's log, oldest first. */
  async events(id: string, { after = 0, limit = 100 }: EventsOptions = {}): Promise<{ events: VisibleEntry[] }> {
    return this.#requests.json(this.#requests.job(id, `/events?after=${after}&limit=${limit}`));
  }

  async cancel(id: string): Promise<Changed> {
    return this.#requests.json(this.#requests.job(id, '/cancel'), { method: 'POST' });
  }

  /** A new run of a job that has failed or was cancelled. */
  async retry(id: string): Promise<Changed> {
    return this.#requests.json(this.#requests.job(id, '/retry'), { method: 'POST' });
  }

  /** From then on nobody finds the job, its source or its outputs; one that runs is cancelled. */
  async delete(id: string): Promise<Deleted> {
    return this.#requests.json(this.#requests.job(id), { method: 'DELETE' });
  }

  /** Has a video fetched as a new job: `url` is an http or https address that anybody can reach. */
  async submitUrl(url: string, { key, options, metadata, webhookUrl }: SubmitOptions = {}): Promise<Accepted> {
    const body = JSON.stringify({ source: { url }, key, options, metadata, webhook_url: webhookUrl });
    const headers = { 'Content-Type': 'application/json' };
    return this.#requests.json(this.#requests.address('/jobs'), { method: 'POST', headers, body });
  }

  /** Uploads a video as a new job. A stream goes out as it comes; browsers can do that over HTTP/2 only, some not at all. */
  async submit(video: Blob | ReadableStream<Uint8Array>, options: SubmitOptions = {}): Promise<Accepted> {
    if (!(video instanceof Blob || video instanceof ReadableStream)) {
      throw new TypeError('submit(): the video must be a File, a Blob or a ReadableStream of bytes.');
    }
    const form = new FormData();
    if (options.key !== undefined) form.append('key', options.key);
    if (options.options) form.append('options', JSON.stringify(options.options));
    if (options.metadata) form.append('metadata', JSON.stringify(options.metadata));
    if (options.webhookUrl !== undefined) form.append('webhook_url', options.webhookUrl);
    if (video instanceof ReadableStream) {
      return this.#requests.json(this.#requests.address('/process'), streamedForm(form, video));
    }
    if ('name' in video) form.append('video', video);
    else form.append('video', video, 'video');
    return this.#requests.json(this.#requests.address('/process'), { method: 'POST', body: form });
  }
}
