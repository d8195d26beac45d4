/**
 * A bad network: a TCP proxy on loopback that cuts connections after a random number of bytes of the answers, so in the
 * middle of the head, of a chunk, of an event, of a character; or of the requests, if told so. Half of the cuts close
 * the connection, half reset it. What came before the cut is handed over; nothing is read any more, so who still sends
 * is told. The random numbers follow from a seed. After so many cuts every connection is let through.
 */
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface Cutting {
  /** 32 bits; the same seed cuts at the same bytes. */
  readonly seed: number;
  /** How many cuts there will be. */
  readonly cuts: number;
  /** Each cut falls before this byte of its response. */
  readonly within: number;
  /** And not before this one; 0. */
  readonly from?: number;
  /** When given, about half of the cuts fall before this byte of what the client sends on its connection. */
  readonly withinRequests?: number;
}

/** How many bytes a connection carries before it is cut. */
interface Life {
  up: number;
  down: number;
}

const FOR_EVER: Life = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY };

export class CuttingProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #port: number;
  readonly #cutting: Cutting;
  readonly #random: () => number;
  readonly #sockets = new Set<Socket>();
  readonly #events = new EventEmitter();
  #connections = 0;
  #planned = 0;
  #cuts = 0;

  private constructor(server: Server, edge: string, cutting: Cutting) {
    this.#server = server.on('connection', (client) => this.#carry(client));
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`;
    this.#port = Number(new URL(edge).port);
    this.#cutting = cutting;
    this.#random = randomFrom(cutting.seed);
  }

  /** In front of the edge at `edge`, a loopback address. */
  static async start(edge: string, cutting: Cutting): Promise<CuttingProxy> {
    const server = createServer();
    await once(server.listen(0, 'localhost'), 'listening');
    return new CuttingProxy(server, edge, cutting);
  }

  /** How many connections were cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** How many connections were made. */
  get connections(): number {
    return this.#connections;
  }

  get cutsLeft(): number {
    return this.#cutting.cuts - this.#cuts;
  }

  /** Resolves when a connection is made, begins to be answered, or is cut. */
  async changed(): Promise<void> {
    await once(this.#events, 'change');
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #carry(client: Socket): void {
    const edge = connect(this.#port, 'localhost');
    let isCut = false;
    for (const [socket, other] of [
      [client, edge],
      [edge, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (!isCut) other.destroySoon();
      });
    }
    let life: Life | null = null;
    const cut = (from: Socket, to: Socket, lastBytes: Uint8Array): void => {
      isCut = true;
      from.destroy();
      this.#cut(to, lastBytes);
    };
    const up = new Transform({
      transform: (bytes: Buffer, _, done) => {
        if (this.#cutting.withinRequests !== undefined) life ??= this.#lifetime();
        const left = life?.up ?? Number.POSITIVE_INFINITY;
        if (life) life.up -= bytes.length;
        if (bytes.length < left) return done(null, bytes);
        cut(client, edge, bytes.subarray(0, left));
      },
    });
    client.pipe(up).pipe(edge);
    edge.on('data', (bytes) => {
      if (life === null) {
        life = this.#lifetime();
        this.#events.emit('change');
      }
      const left = life.down;
      life.down -= bytes.length;
      if (bytes.length >= left) cut(edge, client, bytes.subarray(0, left));
      else if (client.writable) client.write(bytes);
    });
    this.#connections += 1;
    this.#events.emit('change');
  }

  #lifetime(): Life {
    const { cuts, within, from = 0, withinRequests } = this.#cutting;
    if (this.#planned === cuts) return { ...FOR_EVER };
    this.#planned += 1;
    if (withinRequests !== undefined && this.#random() < 0.5) {
      return { ...FOR_EVER, up: Math.floor(this.#random() * withinRequests) };
    }
    return { ...FOR_EVER, down: from + Math.floor(this.#random() * (within - from)) };
  }

  #cut(socket: Socket, lastBytes: Uint8Array): void {
    const isReset = this.#random() >= 0.5;
    socket.write(lastBytes, () => isReset && socket.resetAndDestroy());
    if (!isReset) socket.destroySoon();
    this.#cuts += 1;
    this.#events.emit('change');
  }
}

/** mulberry32: numbers from 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
