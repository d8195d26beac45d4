/**
 * What a hostile file could lead ffmpeg to, and whether it went there. Two named pipes: nobody can open one for reading
 * without letting our waiting open for writing through, so each opener is counted before it has read a byte. A listener
 * on the loopback interface that counts connections. A UDP port that we hold ourselves: a program that wants it says so
 * when the kernel refuses.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';

/** With the ending of a segment, which some versions insist on. */
export const CANARY = 'canary.ts';
export const REFUSED_PORT = /bind failed: Address already in use/;

export class Canaries {
  /** Where the hostile file lies, with a pipe beside it and another one a folder up; both are called CANARY. */
  readonly folder: string;
  opened = 0;
  connected = 0;
  readonly #pipes: readonly string[];
  readonly #server: Server;
  readonly #held: Socket;
  #over = false;
  #watching: Promise<unknown> = Promise.resolve();

  private constructor(folder: string) {
    this.folder = join(folder, 'inside');
    this.#pipes = [join(folder, CANARY), join(this.folder, CANARY)];
    this.#server = createServer((_, response) => response.writeHead(404).end());
    this.#server.on('connection', () => {
      this.connected += 1;
    });
    this.#held = createSocket('udp4');
  }

  static async open(folder: string): Promise<Canaries> {
    const canaries = new Canaries(folder);
    await mkdir(canaries.folder, { recursive: true });
    await execa('mkfifo', canaries.#pipes);
    canaries.#watching = Promise.all(canaries.#pipes.map((pipe) => canaries.#watch(pipe)));
    canaries.#server.listen(0, '127.0.0.1');
    canaries.#held.bind(0);
    await Promise.all([once(canaries.#server, 'listening'), once(canaries.#held, 'listening')]);
    return canaries;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${CANARY}`;
  }

  get heldPort(): number {
    return this.#held.address().port;
  }

  async close(): Promise<void> {
    this.#over = true;
    const readers = await Promise.all(this.#pipes.map((pipe) => open(pipe, constants.O_RDONLY | constants.O_NONBLOCK)));
    await this.#watching;
    for (const reader of readers) await reader.close();
    this.#held.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #watch(pipe: string): Promise<void> {
    for (;;) {
      const writer = await open(pipe, 'w');
      if (!this.#over) this.opened += 1;
      await writer.close();
      if (this.#over) return;
    }
  }
}
