/**
 * A bad network between the transcoders and the edge: an HTTP proxy on loopback that counts requests and does to some
 * of them what was drawn for their number. It has a request of up to 1 MiB whole before it passes it on, so that it can
 * send it twice; longer ones pass through undisturbed. Where it fails to pass something on, the connection breaks.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, request as open, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { pause } from '../../tools/until.ts';
import type { Disturbance } from './draw.ts';
import { add, type Counts } from './orders.ts';

const WHOLE_BYTES = 2 ** 20;

/** How many later requests are answered before one that is overtaken goes on. */
const OVERTAKERS = 2;

export class DisturbingProxy {
  readonly url: string;
  /** What has been done so far. */
  readonly done: Counts = {};
  readonly #server: Server;
  readonly #port: number;
  readonly #planned: Map<number, Disturbance>;
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #closed = new AbortController();
  #requests = 0;
  #answers = 0;

  private constructor(server: Server, edge: string, disturbances: readonly Disturbance[]) {
    this.#server = server.on('request', (request, answer) => void this.#carry(request, answer));
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`;
    this.#port = Number(new URL(edge).port);
    this.#planned = new Map(disturbances.map((one) => [one.at, one]));
  }

  /** In front of the edge at `edge`, a loopback address. */
  static async start(edge: string, disturbances: readonly Disturbance[]): Promise<DisturbingProxy> {
    const server = createServer();
    await once(server.listen(0, 'localhost'), 'listening');
    return new DisturbingProxy(server, edge, disturbances);
  }

  /** How many requests have been made. */
  get requests(): number {
    return this.#requests;
  }

  /** Resolves when the `n`th request has been made; rejects when the signal aborts. */
  async reached(n: number, signal: AbortSignal): Promise<void> {
    while (this.#requests < n) await once(this.#events, 'request', { signal });
  }

  /** From now on every request passes. */
  calm(): void {
    this.#planned.clear();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #carry(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    this.#requests += 1;
    const disturbance = this.#planned.get(this.#requests);
    this.#events.emit('request');
    try {
      const body = await wholeBody(request);
      if (disturbance && body) await this.#disturb(disturbance, request, body, answer);
      else await this.#pass(request, body, answer);
    } catch {
      request.socket.destroy();
    }
    this.#answers += 1;
    this.#events.emit('answer');
  }

  async #pass(request: IncomingMessage, body: Buffer | null, answer: ServerResponse): Promise<void> {
    await hand(await this.#send(request, body, answer), answer);
  }

  async #disturb(
    { kind, ms }: Disturbance,
    request: IncomingMessage,
    body: Buffer,
    answer: ServerResponse,
  ): Promise<void> {
    add(this.done, { [kind]: 1 });
    switch (kind) {
      case 'delay':
        await pause(ms, this.#closed.signal);
        return this.#pass(request, body, answer);
      case 'overtake':
        await this.#overtaken(ms);
        return this.#pass(request, body, answer);
      case 'delay_answer': {
        const got = await this.#send(request, body, answer);
        await pause(ms, this.#closed.signal);
        return hand(got, answer);
      }
      case 'duplicate':
        void this.#again(request, body, ms);
        return this.#pass(request, body, answer);
      case 'cut_answer': {
        const got = await this.#send(request, body, answer);
        const bytes = await buffer(got);
        answer.writeHead(got.statusCode ?? 502, passed(got.headers));
        await new Promise((resolve) => answer.write(bytes.subarray(0, bytes.length / 2), resolve));
        request.socket.destroy();
        return;
      }
      case 'cut_request':
        if (body.length > 0) await this.#sendHalf(request, body);
        request.socket.destroy();
        return;
      default:
        kind satisfies never;
    }
  }

  /** Rejects when there is no answer. Without `body` the request's own is piped. */
  async #send(request: IncomingMessage, body: Buffer | null, answer: ServerResponse | null): Promise<IncomingMessage> {
    const onward = this.#open(request);
    answer?.once('close', () => answer.writableFinished || onward.destroy());
    if (body) onward.end(body);
    else pipeline(request, onward).catch(() => onward.destroy());
    const [got] = await once(onward, 'response');
    return got as IncomingMessage;
  }

  async #sendHalf(request: IncomingMessage, body: Buffer): Promise<void> {
    const onward = this.#open(request);
    await new Promise((resolve) => onward.write(body.subarray(0, body.length / 2), resolve));
    onward.destroy();
  }

  #open({ method, url, headers }: IncomingMessage): ReturnType<typeof open> {
    const address = { host: '127.0.0.1', port: this.#port, path: url, agent: false };
    const onward = open({ ...address, method, headers: passed(headers), signal: this.#closed.signal });
    return onward.on('error', () => onward.destroy());
  }

  async #again(request: IncomingMessage, body: Buffer, ms: number): Promise<void> {
    try {
      await pause(ms, this.#closed.signal);
      await buffer(await this.#send(request, body, null));
    } catch {
      // Nobody waits for it.
    }
  }

  async #overtaken(ms: number): Promise<void> {
    const end = AbortSignal.any([AbortSignal.timeout(ms), this.#closed.signal]);
    const enough = this.#answers + OVERTAKERS;
    while (this.#answers < enough && !end.aborted) {
      await once(this.#events, 'answer', { signal: end }).catch(() => undefined);
    }
  }
}

/** Null for a request that is too long, or does not say how long it is. */
async function wholeBody(request: IncomingMessage): Promise<Buffer | null> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || Number(length ?? 0) > WHOLE_BYTES) return null;
  return buffer(request);
}

async function hand(got: IncomingMessage, answer: ServerResponse): Promise<void> {
  answer.writeHead(got.statusCode ?? 502, passed(got.headers));
  await pipeline(got, answer);
}

/** Without what concerns one connection only. */
function passed({ connection: _, 'keep-alive': __, ...headers }: IncomingMessage['headers']): typeof headers {
  return headers;
}
