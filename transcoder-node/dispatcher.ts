/**
 * Pulls as many doorbells as there are free slots and turns each into a lease and a running task. A message is
 * acknowledged once the lease has decided (granted, or there is nothing to do), and when it cannot be read; while the
 * edge cannot say, it stays in the queue and comes again. `run` ends with the shutdown signal, after its last task.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Doorbell } from '../src/contract/transcoder.ts';
import type { EdgeClient } from './edge/client.ts';
import type { Fleet } from './edge/fleet.ts';
import { Lease } from './edge/lease.ts';
import type { Message, Queue } from './edge/queue.ts';
import { whileUnavailable } from './edge/retry.ts';
import { EdgeRefused, toError } from './errors.ts';
import { AWAY_POLL_MS, IDLE_POLL_MS, LEASE_RETRIES } from './limits.ts';

export interface DispatcherParts {
  readonly queue: Queue;
  readonly edge: EdgeClient;
  readonly fleet: Fleet;
  readonly name: string;
  readonly slots: number;
  readonly log: Logger;
  /** Works on the task until it is over; never rejects, and always closes the lease. */
  readonly runTask: (lease: Lease, log: Logger) => Promise<void>;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #running = new Set<Promise<void>>();
  #garbled = 0;
  #wake: () => void = () => undefined;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  async run(shutdown: AbortSignal): Promise<void> {
    let quiet = 0;
    let away = 0;
    shutdown.addEventListener('abort', () => this.#wake(), { once: true });
    while (!shutdown.aborted) {
      if (this.#running.size >= this.#parts.slots) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        const messages = await this.#parts.queue.pull(this.#parts.slots - this.#running.size, shutdown);
        if (away > 0) this.#parts.log.info('the queue answers again');
        away = 0;
        quiet = messages.length > 0 ? 0 : quiet + 1;
        await Promise.all(messages.map((message) => this.#take(message, shutdown)));
      } catch (error) {
        if (shutdown.aborted) break;
        if (away === 0) this.#parts.log.warn({ error: toError(error).message }, 'the queue does not answer');
        away += 1;
      }
      const wait = away > 0 ? backoff(AWAY_POLL_MS, away) : backoff(IDLE_POLL_MS, quiet);
      if (away > 0 || quiet > 0) await sleep(wait, undefined, { signal: shutdown }).catch(() => undefined);
    }
    await Promise.all(this.#running);
  }

  async #take(message: Message, shutdown: AbortSignal): Promise<void> {
    if (message.doorbell === null) {
      this.#garbled += 1;
      this.#parts.log.warn({ garbled: this.#garbled }, 'a message that is no doorbell was dropped');
      return this.#ack(message, shutdown);
    }
    const { doorbell } = message;
    const log = this.#parts.log.child({ job: doorbell.job_id });
    try {
      this.#start(await this.#lease(doorbell, shutdown, log), log);
    } catch (error) {
      if (shutdown.aborted) return;
      if (!(error instanceof EdgeRefused) || (error.status !== 404 && error.status !== 409)) {
        log.warn({ error: toError(error).message }, 'no lease; the message will come again');
        return;
      }
      log.info({ status: error.status, code: error.code }, 'nothing to do');
    }
    await this.#ack(message, shutdown);
  }

  async #lease(doorbell: Doorbell, shutdown: AbortSignal, log: Logger): Promise<Lease> {
    const { edge, name } = this.#parts;
    const request = { task: doorbell.task, transcoder: name, request_id: randomUUID() };
    let askedAt = 0;
    const once = () => {
      askedAt = performance.now();
      return edge.lease(doorbell.job_id, request, shutdown);
    };
    const grant = await whileUnavailable(once, { signal: shutdown, retries: LEASE_RETRIES });
    return new Lease(edge, doorbell.job_id, grant, askedAt, shutdown, log);
  }

  #start(lease: Lease, log: Logger): void {
    const task = this.#parts.runTask(lease, log).finally(() => {
      this.#running.delete(task);
      this.#parts.fleet.busy(this.#running.size);
      this.#wake();
    });
    this.#running.add(task);
    this.#parts.fleet.busy(this.#running.size);
  }

  async #ack(message: Message, shutdown: AbortSignal): Promise<void> {
    try {
      await this.#parts.queue.ack(message.leaseId, shutdown);
    } catch (error) {
      this.#parts.log.warn({ error: toError(error).message }, 'a message could not be acknowledged');
    }
  }
}

const backoff = ({ first, most }: { first: number; most: number }, tries: number): number =>
  Math.min(most, first * 2 ** Math.min(tries - 1, 10)) * (0.7 + 0.3 * Math.random());
