/**
 * One queue as it is asked: one question at a time, and after a failure not before a pause that grows. Whoever asks
 * waits for PATIENCE_MS at most, so that a queue that hangs holds nobody up; its messages arrive all the same when it
 * answers after all. `empty` and `away` count such answers in a row.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { toError } from '../errors.ts';
import { AWAY_POLL_MS, PATIENCE_MS } from '../limits.ts';
import type { Message, Queue } from './queue.ts';
import { backoff } from './retry.ts';

export interface PullerParts {
  readonly queue: Queue;
  readonly name: string;
  readonly log: Logger;
  readonly onMessages: (messages: Message[]) => void;
  /** Ends a question that is still open. */
  readonly signal: AbortSignal;
}

export class Puller {
  readonly name: string;
  /** Whether the last question was answered. */
  isAnswered = false;
  empty = 0;
  away = 0;
  readonly #parts: PullerParts;
  #open: Promise<void> | null = null;
  #failures = 0;
  #notBefore = 0;

  constructor(parts: PullerParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  async ask(most: number): Promise<void> {
    if (this.#open || performance.now() < this.#notBefore) return;
    this.#open = this.#pull(most).finally(() => {
      this.#open = null;
    });
    const answered = new AbortController();
    const patience = sleep(PATIENCE_MS, undefined, { signal: answered.signal }).catch(() => undefined);
    await Promise.race([this.#open, patience]);
    answered.abort();
  }

  /** Resolves when no question is open. */
  async settled(): Promise<void> {
    await this.#open;
  }

  /** Both counts begin anew. */
  recount(): void {
    this.empty = 0;
    this.away = 0;
  }

  async #pull(most: number): Promise<void> {
    const { queue, name, log, signal, onMessages } = this.#parts;
    try {
      const messages = await queue.pull(name, most, signal);
      if (this.#failures > 0) log.info({ queue: name }, 'the queue answers again');
      this.#failures = 0;
      this.isAnswered = true;
      this.away = 0;
      this.empty = messages.length > 0 ? 0 : this.empty + 1;
      onMessages(messages);
    } catch (error) {
      if (signal.aborted) return;
      if (this.#failures === 0) log.warn({ queue: name, error: toError(error).message }, 'the queue does not answer');
      this.#failures += 1;
      this.isAnswered = false;
      this.away += 1;
      this.empty = 0;
      this.#notBefore = performance.now() + backoff(AWAY_POLL_MS, this.#failures);
    }
  }
}
