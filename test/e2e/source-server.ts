/** A server of videos on loopback that behaves as its paths are told to, and keeps how it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers the `nth` request of a path, from 1. */
export type Behaviour = (response: ServerResponse, headers: IncomingHttpHeaders, nth: number) => unknown;

interface Served {
  /** Default `"1"`; null: none is sent. */
  etag?: string | null;
  type?: string;
  /** Whether Range is honoured. Default: yes. */
  ranges?: boolean;
  /** No Content-Length is sent, and the body is chunked. */
  chunked?: boolean;
  /** How many bytes of the answer are sent before the connection is broken; null: all, and it is not. */
  cut?: (nth: number) => number | null;
  /** Bytes per second. Default: as fast as they are taken. */
  pace?: number;
}

/** A file as servers serve it. */
export function file(bytes: Uint8Array, options: Served = {}): Behaviour {
  const { etag = '"1"', type = 'video/mp4', ranges = true, chunked = false, cut = () => null, pace } = options;
  return async (response, headers, nth) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const isPart = ranges && headers.range !== undefined && (headers['if-range'] ?? etag) === etag;
    if (isPart && from >= bytes.length) {
      response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = isPart ? bytes.subarray(from) : bytes;
    response.setHeader('Content-Type', type);
    if (etag !== null) response.setHeader('ETag', etag);
    if (!chunked) response.setHeader('Content-Length', body.length);
    if (isPart)
      response.setHeader('Content-Range', `bytes ${from}-${bytes.length - 1}/${chunked ? '*' : bytes.length}`);
    response.writeHead(isPart ? 206 : 200);
    const end = cut(nth);
    if (pace !== undefined) return drip(response, body, pace);
    if (end === null || end >= body.length) return response.end(body);
    response.write(body.subarray(0, end), () => response.socket?.end());
  };
}

async function drip(response: ServerResponse, body: Uint8Array, pace: number): Promise<void> {
  const step = Math.max(1, Math.ceil(pace / 20));
  for (let at = 0; at < body.length && response.writable; at += step) {
    response.write(body.subarray(at, at + step));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  response.end();
}

export const answering =
  (status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

export class SourceServer {
  readonly url: string;
  readonly #server: Server;
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #asked = new Map<string, IncomingHttpHeaders[]>();

  private constructor(server: Server) {
    this.#server = server.on('request', ({ url = '', headers }, response) => {
      const path = url.split('?')[0] ?? '';
      const nth = this.asked(path).push(headers);
      response.on('error', () => {});
      void (this.#behaviours.get(path) ?? answering(404))(response, headers, nth);
    });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<SourceServer> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new SourceServer(server);
  }

  /** The address of a path that behaves so. */
  at(path: string, behaviour: Behaviour): string {
    this.#behaviours.set(path, behaviour);
    return this.url + path;
  }

  /** The headers of each request for a path. */
  asked(path: string): IncomingHttpHeaders[] {
    const asked = this.#asked.get(path) ?? [];
    this.#asked.set(path, asked);
    return asked;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
