/**
 * What a message leads to. It is acknowledged once the lease has decided (granted, or there is nothing to do), and when
 * it cannot be read; while the edge cannot say, it stays in the queue and comes again.
 *
 * At a shutdown, an answer on its way is waited for a little longer: a lease that is granted now begins a task that
 * releases it at once, and a message that came for nothing is handed back, so that neither has to run out first.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Doorbell } from '../../src/contract/transcoder.ts';
import { EdgeRefused, toError } from '../errors.ts';
import { GOODBYE_TIMEOUT_MS, LEASE_RETRIES } from '../limits.ts';
import type { EdgeClient } from './client.ts';
import { Lease } from './lease.ts';
import type { Message, Queue } from './queue.ts';
import { whileUnavailable } from './retry.ts';

export interface Stop {
  readonly shutdown: AbortSignal;
  /** A little later: what is still unanswered is given up. */
  readonly lastAnswer: AbortSignal;
}

export interface DoorbellsParts {
  readonly queue: Queue;
  readonly edge: EdgeClient;
  /** The transcoder's. */
  readonly name: string;
  readonly log: Logger;
  readonly stop: Stop;
  /** Never rejects. */
  readonly work: (lease: Lease, log: Logger) => Promise<void>;
}

export class Doorbells {
  /** Jobs whose message will come again, because the edge could not say whether there is work. */
  readonly undecided = new Set<string>();
  readonly #parts: DoorbellsParts;
  #garbled = 0;

  constructor(parts: DoorbellsParts) {
    this.#parts = parts;
  }

  /** Resolves when the task that the message led to, if any, is over. */
  async answer(message: Message): Promise<void> {
    const { log, stop, work } = this.#parts;
    const { doorbell } = message;
    if (doorbell === null) {
      this.#garbled += 1;
      log.warn({ queue: message.queue, garbled: this.#garbled }, 'a message that is no doorbell was dropped');
      return this.#ack(message);
    }
    const jobLog = log.child({ job: doorbell.job_id });
    try {
      const { lease, taskLog } = await this.#lease(doorbell, jobLog);
      this.undecided.delete(doorbell.job_id);
      await Promise.all([this.#ack(message), work(lease, taskLog)]);
    } catch (error) {
      if (error instanceof EdgeRefused && (error.status === 404 || error.status === 409)) {
        this.undecided.delete(doorbell.job_id);
        jobLog.info({ status: error.status, code: error.code }, 'nothing to do');
        return this.#ack(message);
      }
      if (stop.shutdown.aborted) return this.handBack([message]);
      this.undecided.add(doorbell.job_id);
      jobLog.warn({ error: toError(error).message }, 'no lease; the message will come again');
    }
  }

  async handBack(messages: readonly Message[]): Promise<void> {
    try {
      await this.#parts.queue.handBack(messages, AbortSignal.timeout(GOODBYE_TIMEOUT_MS));
    } catch (error) {
      this.#parts.log.warn(
        { error: toError(error).message },
        'messages could not be handed back; they come again later',
      );
    }
  }

  async #lease(doorbell: Doorbell, log: Logger): Promise<{ lease: Lease; taskLog: Logger }> {
    const { edge, name, stop } = this.#parts;
    const { shutdown, lastAnswer: signal } = stop;
    const request = { task: doorbell.task, transcoder: name, request_id: randomUUID() };
    let askedAt = 0;
    const once = () => {
      askedAt = performance.now();
      return edge.lease(doorbell.job_id, request, signal);
    };
    const worthIt = () => !shutdown.aborted;
    const grant = await whileUnavailable(once, { signal, retries: LEASE_RETRIES, worthIt });
    const taskLog = log.child({ lease: grant.lease, request_id: request.request_id });
    return { lease: new Lease(edge, doorbell.job_id, grant, askedAt, shutdown, taskLog), taskLog };
  }

  async #ack(message: Message): Promise<void> {
    try {
      await this.#parts.queue.ack([message], this.#parts.stop.lastAnswer);
    } catch (error) {
      this.#parts.log.warn({ error: toError(error).message }, 'a message could not be acknowledged');
    }
  }
}
