/**
 * A lease while it is held. One loop reports: at most every REPORT_GAP_MS, at least every RENEW_MS, one request in
 * flight. A report that got no answer is sent again, same batch and same content, until the lease has run out since
 * the last accepted one. `signal` is the task's life line: it aborts with the reason to stop (`LeaseLost`,
 * `Cancelled`, `ShuttingDown`, or a `TaskFailure` when the edge refuses what we say but not the lease).
 * `finish` runs beside the loop, which goes on renewing; `close` ends the loop and must always be called.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Commit } from '../../src/contract/job.ts';
import type { LeaseGrant, Report, TaskEntry, TaskError, TaskResult } from '../../src/contract/transcoder.ts';
import { Cancelled, EdgeRefused, EdgeUnavailable, LeaseLost, TaskFailure, toError } from '../errors.ts';
import { RENEW_MS, REPORT_GAP_MS, REPORT_TICK_MS, REQUEST_TIMEOUT_MS, UPLOAD_RETRIES } from '../limits.ts';
import type { EdgeClient, Held, Payload } from './client.ts';
import { Outbox } from './outbox.ts';
import { whileUnavailable } from './retry.ts';

type Outcome = { readonly result: TaskResult } | { readonly error: TaskError };

export class Lease {
  readonly job: string;
  readonly grant: LeaseGrant;
  readonly signal: AbortSignal;
  readonly #edge: EdgeClient;
  readonly #log: Logger;
  readonly #shutdown: AbortSignal;
  readonly #end = new AbortController();
  readonly #closed = new AbortController();
  readonly #outbox = new Outbox();
  readonly #loop: Promise<void>;
  readonly #waiters: Array<() => void> = [];
  #renewedAt: number;
  #sentAt = Number.NEGATIVE_INFINITY;
  #batch = 0;

  constructor(edge: EdgeClient, job: string, grant: LeaseGrant, askedAt: number, shutdown: AbortSignal, log: Logger) {
    this.#edge = edge;
    this.job = job;
    this.grant = grant;
    this.#renewedAt = askedAt;
    this.#shutdown = shutdown;
    this.#log = log;
    this.signal = AbortSignal.any([this.#end.signal, shutdown]);
    this.#loop = this.#run();
  }

  say(entry: TaskEntry): void {
    this.#outbox.say(entry);
  }

  commit(commit: Commit): void {
    this.#outbox.commit(commit);
  }

  /** Resolves when the edge has taken all that was said so far. */
  async drained(): Promise<void> {
    this.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(toError(this.signal.reason));
    this.signal.addEventListener('abort', stop);
    this.#waiters.push(resolve);
    try {
      await promise;
    } finally {
      this.signal.removeEventListener('abort', stop);
    }
  }

  download(from: number, signal: AbortSignal): Promise<Response> {
    return this.#unlessLost(this.#edge.source(this.#held, from, signal));
  }

  /** `path` below the job's outputs. */
  upload(path: string, payload: Payload, signal: AbortSignal): Promise<void> {
    return this.call((edge, held) => edge.upload(held, path, payload, signal), signal);
  }

  /** Any call under this lease, tried again while the edge is away. */
  call<T>(once: (edge: EdgeClient, held: Held) => Promise<T>, signal: AbortSignal): Promise<T> {
    const retried = whileUnavailable(() => once(this.#edge, this.#held), { signal, retries: UPLOAD_RETRIES });
    return this.#unlessLost(retried);
  }

  /** The edge gives a repeated call its first answer again, so it is tried for as long as the lease may hold. */
  async finish(outcome: Outcome): Promise<void> {
    const once = () => this.#edge.finish(this.job, { lease: this.grant.lease, ...outcome }, this.#shutdown);
    const worthIt = () => performance.now() < this.#expiresAt();
    const { status } = await whileUnavailable(once, { signal: this.#shutdown, worthIt });
    this.#log.info({ status }, 'finished');
  }

  async release(): Promise<void> {
    await this.#edge.release(this.job, this.grant.lease);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#loop;
  }

  get #held(): Held {
    return { job: this.job, lease: this.grant.lease };
  }

  #expiresAt(): number {
    return this.#renewedAt + this.grant.lease_ms;
  }

  async #unlessLost<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof EdgeRefused && error.endsLease) this.#end.abort(new LeaseLost(error.message));
      throw error;
    }
  }

  async #run(): Promise<void> {
    const stop = AbortSignal.any([this.#closed.signal, this.#shutdown]);
    try {
      while (!stop.aborted) {
        const idle = performance.now() - this.#sentAt;
        const wanted = !this.#outbox.empty || this.#waiters.length > 0;
        if (idle >= RENEW_MS || (wanted && idle >= REPORT_GAP_MS)) await this.#report(stop);
        await sleep(REPORT_TICK_MS, undefined, { signal: stop });
      }
    } catch (error) {
      if (!stop.aborted) this.#end.abort(toError(error));
    }
  }

  async #report(stop: AbortSignal): Promise<void> {
    const report: Report = { lease: this.grant.lease, batch: this.#batch + 1, ...this.#outbox.take() };
    try {
      await this.#send(report, stop);
      this.#batch = report.batch;
    } catch (error) {
      if (!(error instanceof EdgeRefused) || error.endsLease) throw lost(error);
      this.#log.error({ error: error.message, batch: report.batch }, 'the edge refused a report');
      this.#end.abort(new TaskFailure('internal', 'The transcoder and the server do not understand each other.'));
      return;
    }
    if (!this.#outbox.empty) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #send(report: Report, stop: AbortSignal): Promise<void> {
    const once = () => {
      this.#sentAt = performance.now();
      const left = Math.max(1, Math.ceil(this.#expiresAt() - this.#sentAt));
      return this.#edge.report(this.job, report, Math.min(REQUEST_TIMEOUT_MS, left), stop);
    };
    const answer = await whileUnavailable(once, { signal: stop, worthIt: () => performance.now() < this.#expiresAt() });
    this.#renewedAt = this.#sentAt;
    if (answer.cancel) throw new Cancelled('the job was cancelled');
  }
}

function lost(thrown: unknown): Error {
  if (thrown instanceof EdgeUnavailable) return new LeaseLost(`no answer for the whole lease: ${thrown.message}`);
  if (thrown instanceof EdgeRefused) return new LeaseLost(thrown.message);
  return toError(thrown);
}
