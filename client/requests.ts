/** The way to the server for everything that is no stream: the address, the token, and errors that say what is wrong. */
import { ApiError } from './errors.ts';
import type { Fetch } from './over-fetch.ts';

export type GetToken = () => string | null | Promise<string | null>;

export class Requests {
  readonly fetch: Fetch;
  readonly getToken: GetToken | null;
  readonly #root: string;

  constructor(root: string, fetch: Fetch, getToken: GetToken | null) {
    this.#root = root.replace(/\/+$/, '');
    this.fetch = fetch;
    this.getToken = getToken;
  }

  address(path: string): string {
    return this.#root + path;
  }

  job(id: string, path = ''): string {
    if (typeof id !== 'string' || id === '') throw new TypeError('A job id must be a string, as the server gave it.');
    return this.address(`/jobs/${encodeURIComponent(id)}${path}`);
  }

  /** The JSON of the answer. A body that can be read only once is not sent again after a 401. */
  async json<T>(url: string, init: RequestInit = {}): Promise<T> {
    let response = await this.#send(url, init);
    if (response.status === 401 && this.getToken && !(init.body instanceof ReadableStream)) {
      await response.body?.cancel();
      response = await this.#send(url, init);
    }
    if (!response.ok) throw await ApiError.from(response);
    return response.json() as Promise<T>;
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const token = (await this.getToken?.()) || null;
    headers.set('Accept', 'application/json');
    if (token !== null) headers.set('Authorization', `Bearer ${token}`);
    return this.fetch(url, { ...init, headers });
  }
}
