/**
 * tus over `fetch`, where there is no XMLHttpRequest. The bytes go out as a stream, so that one sees how many have gone;
 * their number goes with them.
 */
import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client';
import type { Fetch } from './over-fetch.ts';

export const fetchStack = (fetch: Fetch): HttpStack => ({
  createRequest: (method, url) => new FetchRequest(fetch, method, url),
  getName: () => 'fetch',
});

class FetchRequest implements HttpRequest {
  readonly #fetch: Fetch;
  readonly #method: string;
  readonly #url: string;
  readonly #headers: Record<string, string> = {};
  readonly #abort = new AbortController();
  #onProgress: (sent: number) => void = () => undefined;

  constructor(fetch: Fetch, method: string, url: string) {
    this.#fetch = fetch;
    this.#method = method;
    this.#url = url;
  }

  getMethod = (): string => this.#method;
  getURL = (): string => this.#url;
  getHeader = (name: string): string | undefined => this.#headers[name];
  getUnderlyingObject = (): unknown => null;

  setHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  setProgressHandler(handler: (sent: number) => void): void {
    this.#onProgress = handler;
  }

  async abort(): Promise<void> {
    this.#abort.abort();
  }

  async send(piece: Blob | null): Promise<HttpResponse> {
    const init = { method: this.#method, headers: this.#headers, signal: this.#abort.signal };
    const response = await this.#fetch(this.#url, piece ? { ...init, ...this.#streamed(piece) } : init);
    const body = await response.text();
    return {
      getStatus: () => response.status,
      getHeader: (name) => response.headers.get(name) ?? undefined,
      getBody: () => body,
      getUnderlyingObject: () => response,
    };
  }

  #streamed(piece: Blob): RequestInit & { duplex: 'half' } {
    let sent = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, out) => {
        sent += bytes.length;
        this.#onProgress(sent);
        out.enqueue(bytes);
      },
    });
    const headers = { ...this.#headers, 'Content-Length': String(piece.size) };
    return { headers, body: piece.stream().pipeThrough(counted), duplex: 'half' };
  }
}
