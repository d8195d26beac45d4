/** The watchers of a case: raw sockets that read into one shared buffer. What they see is tallied for all together. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { microseconds, readMarks } from './marker.ts';

const HOST = '127.0.0.1';
/** So many may be connecting at a time; servers queue 511 by default. */
const CONNECTING = 100;

const shared = Buffer.alloc(256 * 1024);

export class Audience {
  received = 0;
  gaps = 0;
  repeats = 0;
  /** Streams that ended although nobody ended them here. */
  closed = 0;
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  /** Latencies in microseconds of what is measured now. */
  #samples = new Float64Array(0);
  #expected = 0;
  #done: () => void = () => {};
  #isClosing = false;

  constructor(port: number) {
    this.#port = port;
  }

  /** Connects `count` watchers to a path; each counts when its answer's head is there. */
  async watch(path: string, count: number): Promise<void> {
    for (let from = 0; from < count; from += CONNECTING) {
      const batch = Array.from({ length: Math.min(CONNECTING, count - from) }, () => this.#watchOne(path));
      await Promise.all(batch);
    }
  }

  /** Clients that ask for the stream and never read it. */
  async stuck(path: string, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const socket = this.#keep(connect(this.#port, HOST));
      socket.pause();
      await once(socket, 'connect');
      socket.write(request(path));
    }
  }

  /** From now on `count` deliveries are expected, and their latencies kept. */
  expect(count: number): void {
    this.received = 0;
    this.#expected = count;
    this.#samples = new Float64Array(count);
  }

  /** Resolves when all that is expected has arrived, or when nothing has arrived for `silenceMs`. */
  async all(silenceMs: number): Promise<void> {
    if (this.received >= this.#expected) return;
    let seen = -1;
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (this.received === seen) this.#done();
        seen = this.received;
      }, silenceMs);
      this.#done = () => {
        clearInterval(look);
        resolve();
      };
    });
  }

  /** In microseconds, lowest first. */
  latencies(): Float64Array {
    return this.#samples.slice(0, this.received).sort();
  }

  close(): void {
    this.#isClosing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #watchOne(path: string): Promise<void> {
    let last = 0;
    let rest: Buffer | null = null;
    let isOpen = false;
    const onEvent = (number: number, at: number): void => {
      if (number <= last) {
        this.repeats += 1;
        return;
      }
      this.gaps += number - last - 1;
      last = number;
      if (this.received < this.#expected) this.#samples[this.received] = microseconds() - at;
      this.received += 1;
      if (this.received === this.#expected) this.#done();
    };
    return new Promise((resolve, reject) => {
      const callback = (count: number): boolean => {
        const bytes = shared.subarray(0, count);
        if (!isOpen && !bytes.toString('latin1').startsWith('HTTP/1.1 200')) {
          reject(new Error(`GET ${path} was answered ${bytes.toString('latin1').split('\r\n', 1)[0]}`));
        }
        isOpen = true;
        resolve();
        rest = readMarks(rest ? Buffer.concat([rest, bytes]) : bytes, onEvent);
        return true;
      };
      const socket = this.#keep(connect({ port: this.#port, host: HOST, onread: { buffer: shared, callback } }));
      socket.once('error', reject);
      socket.write(request(path));
    });
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (!this.#isClosing) this.closed += 1;
    });
    return socket;
  }
}

const request = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;
