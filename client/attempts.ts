/**
 * Attempts in a row: waits longer before each, and for the network while the machine has none, and counts them. A sign
 * that the way to the server works resets the count; being offline uses none.
 */
import { LinkedAbort } from './abort.ts';
import { isOffline, onNetwork } from './connectivity.ts';
import { backoffMs, type Delay } from './delay.ts';

export interface Patience {
  readonly delay: Delay;
  /** Attempts in a row: 0 to Infinity. */
  readonly maxAttempts: number;
}

export type Waiting = 'waiting' | 'offline';

export class Attempts {
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  readonly #onWait: (why: Waiting) => void;
  #made = 0;

  /** `onWait` is told before each wait; the signal ends one. */
  constructor(patience: Patience, signal: AbortSignal, onWait: (why: Waiting) => void = () => undefined) {
    this.#patience = patience;
    this.#signal = signal;
    this.#onWait = onWait;
  }

  /** Something has come through. */
  reset(): void {
    this.#made = 0;
  }

  /** Until the next attempt, at least `floorMs`; over early when the network goes. False when there is no next one. */
  async pause(floorMs: number): Promise<boolean> {
    if (isOffline()) return true;
    const { delay, maxAttempts } = this.#patience;
    this.#made += 1;
    if (this.#made > maxAttempts) return false;
    const waiting = new LinkedAbort(this.#signal);
    const forgetNetwork = onNetwork('offline', () => waiting.abort());
    this.#onWait('waiting');
    try {
      await delay(backoffMs(this.#made, floorMs), waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      forgetNetwork();
      waiting.end();
    }
    return true;
  }

  /** Resolves when there is a network, or the signal has aborted. */
  async untilOnline(): Promise<void> {
    while (isOffline() && !this.#signal.aborted) {
      this.#onWait('offline');
      const { promise, resolve } = Promise.withResolvers<void>();
      const forgetNetwork = onNetwork('online', resolve);
      const abort = () => resolve();
      this.#signal.addEventListener('abort', abort);
      await promise;
      this.#signal.removeEventListener('abort', abort);
      forgetNetwork();
    }
  }
}

/** `5 attempts`. */
export const attemptsMade = (count: number): string => (count === 1 ? '1 attempt' : `${count} attempts`);
