/** A network that stands still: a TCP proxy on loopback that lets so many bytes of requests through, until it is opened. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Tap {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held = Promise.withResolvers<void>();
  #left: number;

  private constructor(server: Server, edge: string, bytes: number) {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.url = `http://localhost:${address.port}`;
    this.#server = server.on('connection', (client) => this.#carry(client, Number(new URL(edge).port)));
    this.#left = bytes;
  }

  static async start(edge: string, bytes: number): Promise<Tap> {
    const server = createServer();
    await once(server.listen(0, 'localhost'), 'listening');
    return new Tap(server, edge, bytes);
  }

  /** Resolves when nothing goes through any more. */
  get held(): Promise<void> {
    return this.#held.promise;
  }

  /** From the next connection on everything goes through; what stands still stays so. */
  open(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #carry(client: Socket, port: number): void {
    const edge = connect(port, 'localhost');
    for (const [socket, other] of [
      [client, edge],
      [edge, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.end();
      });
    }
    edge.pipe(client);
    client.on('data', (bytes) => {
      edge.write(bytes);
      this.#left -= bytes.length;
      if (this.#left > 0) return;
      client.pause();
      this.#held.resolve();
    });
  }
}
