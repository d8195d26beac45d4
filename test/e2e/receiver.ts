/**
 * A receiver of webhooks on loopback that behaves as its paths are told to. It keeps what came, when, and what is wrong
 * with its signature, which it computes by itself.
 */
import { createHmac } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebhookEvent } from '../../src/contract/webhooks.ts';

export interface Received {
  /** `webhook-id`. */
  id: string;
  /** When it came, in ms since 1970. */
  at: number;
  headers: Record<string, string>;
  body: string;
  event: WebhookEvent;
}

/** Answers the `nth` request, from 1. */
export type Behaviour = (response: ServerResponse, nth: number, received: Received) => unknown;

export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

export class Receiver {
  readonly #server: Server;
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #received = new Map<string, Received[]>();
  readonly #events = new EventEmitter();
  readonly #open = new Map<string, number>();
  readonly #mostOpen = new Map<string, number>();

  private constructor(server: Server) {
    this.#server = server.on('request', (request, response) => void this.#take(request, response));
    this.#events.setMaxListeners(0);
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Receiver(server);
  }

  /** The address of a path that behaves so; 204 unless told otherwise. */
  at(path: string, behaviour: Behaviour = answering(204)): string {
    this.#behaviours.set(path, behaviour);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** What came to a path so far, repeated attempts included. */
  received(path: string): Received[] {
    return this.#received.get(path) ?? [];
  }

  /** Resolves when `isEnough` holds for what came to a path. */
  async until(path: string, isEnough: (received: Received[]) => boolean): Promise<Received[]> {
    while (!isEnough(this.received(path))) await once(this.#events, 'received');
    return this.received(path);
  }

  /** How many requests to a path were there at once, at most, since the last call. */
  mostAtOnce(path: string): number {
    const most = this.#mostOpen.get(path) ?? 0;
    this.#mostOpen.set(path, this.#open.get(path) ?? 0);
    return most;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    this.#count(path, 1);
    response.once('close', () => this.#count(path, -1));
    const body = await text(request);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const id = headers['webhook-id'] ?? '';
    const received = { id, at: Date.now(), headers, body, event: WebhookEvent.parse(JSON.parse(body)) };
    const all = [...this.received(path), received];
    this.#received.set(path, all);
    (this.#behaviours.get(path) ?? answering(404))(response, all.length, received);
    this.#events.emit('received');
  }

  #count(path: string, change: number): void {
    const open = (this.#open.get(path) ?? 0) + change;
    this.#open.set(path, open);
    this.#mostOpen.set(path, Math.max(open, this.#mostOpen.get(path) ?? 0));
  }
}

/** Whether one of the signatures is this secret's, by the letter of Standard Webhooks. */
export function isSignedWith(secret: string, { headers, body, id, at }: Received): boolean {
  const seconds = Number(headers['webhook-timestamp']);
  if (Math.abs(at / 1000 - seconds) > 60) return false;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return (headers['webhook-signature'] ?? '').split(' ').includes(`v1,${signature}`);
}
