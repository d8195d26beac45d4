/**
 * Tells the fleet registry that this transcoder is there: at once, on every change of load, and every ANNOUNCE_MS. An
 * announcement that does not arrive is tried again until it does, with the load of that moment; nothing waits for it.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ANNOUNCE_MS } from '../../src/contract/transcoder.ts';
import { toError } from '../errors.ts';
import { GOODBYE_TIMEOUT_MS } from '../limits.ts';
import { slots, slotsBusy } from '../metrics.ts';
import pkg from '../package.json' with { type: 'json' };
import type { EdgeClient } from './client.ts';
import { whileUnavailable } from './retry.ts';

export const transcoderName = (): string =>
  `${hostname()
    .replace(/[^\w.-]/g, '-')
    .slice(0, 100)}-${randomBytes(3).toString('hex')}`;

export class Fleet {
  readonly #edge: EdgeClient;
  readonly #log: Logger;
  readonly #self: { readonly transcoder: string; readonly slots: number };
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #change = new AbortController();
  #busy = 0;
  #isKnown = false;

  constructor(edge: EdgeClient, self: { transcoder: string; slots: number }, log: Logger) {
    this.#edge = edge;
    this.#log = log;
    this.#self = self;
    slots.set(self.slots);
    this.#loop = this.#run(this.#closing.signal);
  }

  /** Whether the edge has taken the last announcement. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  busy(busy: number): void {
    this.#busy = busy;
    slotsBusy.set(busy);
    this.#change.abort();
  }

  async goodbye(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    await this.#announce(null, AbortSignal.timeout(GOODBYE_TIMEOUT_MS)).catch((error: unknown) =>
      this.#log.debug({ error: toError(error).message }, 'the goodbye was not heard'),
    );
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#change = new AbortController();
      try {
        await whileUnavailable(() => this.#announce(this.#busy, signal), { signal });
      } catch (error) {
        if (!signal.aborted) this.#log.warn({ error: toError(error).message }, 'the announcement was refused');
      }
      const wake = AbortSignal.any([signal, this.#change.signal]);
      await sleep(ANNOUNCE_MS, undefined, { signal: wake }).catch(() => undefined);
    }
  }

  async #announce(busy: number | null, signal: AbortSignal): Promise<void> {
    try {
      await this.#edge.announce({ ...this.#self, version: pkg.version, busy }, signal);
      this.#isKnown = busy !== null;
    } catch (error) {
      this.#isKnown = false;
      throw error;
    }
  }
}
