/**
 * A lease while it is held. One loop reports: at most every REPORT_GAP_MS, at least every RENEW_MS, one request in
 * flight. A report that got no answer is sent again, same batch and same content, and so is any other call. That goes
 * on far beyond `lease_ms`: when the edge was away itself, it renews the lease; when it gave the lease away, it refuses
 * the first word it hears from us. `signal` is the task's life line: it aborts with the reason to stop (`LeaseLost`,
 * `Cancelled`, `ShuttingDown`, or a `TaskFailure` when the edge refuses what we say but not the lease).
 * `finish` runs beside the loop, which goes on renewing; `close` ends the loop and must always be called.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Commit } from '../../src/contract/job.ts';
import type { LeaseGrant, Report, TaskEntry, TaskError, TaskResult } from '../../src/contract/transcoder.ts';
import { Cancelled, EdgeRefused, EdgeUnavailable, LeaseLost, TaskFailure, toError } from '../errors.ts';
import { AWAY_MS, GOODBYE_TIMEOUT_MS, RENEW_MS, REPORT_GAP_MS, REPORT_TICK_MS, REQUEST_TIMEOUT_MS } from '../limits.ts';
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
  /** When the edge last took a word of ours. */
  #heardAt: number;
  #sentAt = Number.NEGATIVE_INFINITY;
  #batch = 0;
  #isAway = false;
  #hasFailed = false;

  constructor(edge: EdgeClient, job: string, grant: LeaseGrant, askedAt: number, shutdown: AbortSignal, log: Logger) {
    this.#edge = edge;
    this.job = job;
    this.grant = grant;
    this.#heardAt = askedAt;
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
    return this.call((edge, held) => edge.source(held, from, signal), signal);
  }

  /** `path` below the job's outputs. */
  upload(path: string, payload: Payload, signal: AbortSignal): Promise<void> {
    return this.call((edge, held) => edge.upload(held, path, payload, signal), signal);
  }

  /** Any call under this lease, tried again while the edge is away. */
  async call<T>(once: (edge: EdgeClient, held: Held) => Promise<T>, signal: AbortSignal): Promise<T> {
    const held = { job: this.job, lease: this.grant.lease };
    try {
      const answer = await whileUnavailable(() => once(this.#edge, held), { signal, worthIt: this.#patience() });
      this.#heardAt = performance.now();
      return answer;
    } catch (error) {
      if (error instanceof EdgeRefused && error.endsLease) this.#end.abort(new LeaseLost(error.message));
      throw error;
    }
  }

  /** The edge gives a repeated call its first answer again. */
  async finish(outcome: Outcome): Promise<void> {
    this.#hasFailed = 'error' in outcome;
    const once = () => this.#edge.finish(this.job, { lease: this.grant.lease, ...outcome }, this.#shutdown);
    const { status } = await whileUnavailable(once, { signal: this.#shutdown, worthIt: this.#patience() });
    this.#log.info({ status }, 'finished');
  }

  async release(): Promise<void> {
    const signal = AbortSignal.timeout(GOODBYE_TIMEOUT_MS);
    await whileUnavailable(() => this.#edge.release(this.job, this.grant.lease, signal), { signal });
  }

  /** The attempt ended in an error, or nobody could be told how it ended; not because others decided so. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#loop;
  }

  /** Says whether to go on trying: until this call, or the whole edge, has given no answer for AWAY_MS. */
  #patience(): () => boolean {
    const since = performance.now();
    return () => performance.now() < Math.min(since, this.#heardAt) + AWAY_MS;
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
      if (!(error instanceof EdgeRefused) || error.endsLease) throw this.#lost(error);
      this.#log.error({ error: error.message, batch: report.batch }, 'the edge refused a report');
      this.#end.abort(new TaskFailure('internal', 'The transcoder and the server do not understand each other.'));
      return;
    }
    if (!this.#outbox.empty) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #send(report: Report, stop: AbortSignal): Promise<void> {
    const timeoutMs = Math.min(REQUEST_TIMEOUT_MS, this.grant.lease_ms);
    const once = () => {
      this.#sentAt = performance.now();
      return this.#edge.report(this.job, report, timeoutMs, stop);
    };
    const isPatient = this.#patience();
    const worthIt = () => {
      if (!this.#isAway) this.#log.warn('the edge does not answer; the task goes on');
      this.#isAway = true;
      return isPatient();
    };
    const answer = await whileUnavailable(once, { signal: stop, worthIt });
    if (this.#isAway) this.#log.info('the edge answers again');
    this.#isAway = false;
    this.#heardAt = performance.now();
    if (answer.cancel) throw new Cancelled('the job was cancelled');
  }

  #lost(thrown: unknown): Error {
    if (thrown instanceof EdgeRefused) return new LeaseLost(thrown.message);
    if (!(thrown instanceof EdgeUnavailable)) return toError(thrown);
    this.#hasFailed = true;
    return new LeaseLost(`the edge was silent for too long: ${thrown.message}`);
  }
}
