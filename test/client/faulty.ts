/**
 * A server that does to streams what servers, proxies and networks do: each connection gets the next fault of a
 * script. It remembers who asked for what. Beyond the script it answers 410, which no client takes for a stream.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Step = (response: ServerResponse, request: IncomingMessage) => void;

export class Faulty {
  readonly url: string;
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;
  readonly #steps: Step[];

  private constructor(server: Server, steps: Step[]) {
    this.#server = server;
    this.#steps = steps;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.requests.push(request);
      const step = this.#steps.shift() ?? answer(410);
      step(response, request);
    });
  }

  static async start(...steps: Step[]): Promise<Faulty> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Faulty(server, steps);
  }

  add(...steps: Step[]): void {
    this.#steps.push(...steps);
  }

  /** What each stream was asked to go on from, in the header or the address; null for a fresh one. */
  get resumedFrom(): (string | null)[] {
    return this.requests.map(({ headers, url = '' }) => {
      return headers['last-event-id']?.toString() ?? new URL(url, this.url).searchParams.get('last_event_id');
    });
  }

  /** The tokens, in the order they came. */
  get tokens(): (string | null)[] {
    return this.requests.map(({ headers, url = '' }) => {
      return headers.authorization?.replace('Bearer ', '') ?? new URL(url, this.url).searchParams.get('token');
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An event as the server writes it. */
export const told = (id: number, event = 'progress', data: unknown = { n: id }): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** An answer that is no stream. */
export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): Step =>
  (response) =>
    response.writeHead(status, headers).end(body);

export const problem = (status: number, code: string, headers: Record<string, string> = {}): Step =>
  answer(
    status,
    { 'Content-Type': 'application/problem+json', ...headers },
    JSON.stringify({ type: 'about:blank', title: code, status, code, detail: 'Told so.', request_id: 'r-1' }),
  );

export function begin(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  return response;
}

/** A stream that ends in order after `text`. */
export const stream =
  (...text: string[]): Step =>
  (response) =>
    begin(response).end(text.join(''));

/** What the log has after the client's last event id, cut off at this byte. */
export const cutAt =
  (log: readonly string[], byte: number): Step =>
  (response, { headers }) => {
    const from = Number(headers['last-event-id'] ?? 0);
    const rest = Buffer.from(log.slice(from).join('')).subarray(0, byte);
    begin(response).write(rest, () => response.destroy());
  };

/** A stream that the test goes on with itself. */
export function held(): { step: Step; opened: Promise<ServerResponse> } {
  const { promise: opened, resolve } = Promise.withResolvers<ServerResponse>();
  return { step: (response) => resolve(begin(response)), opened };
}
