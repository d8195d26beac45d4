/**
 * One Durable Object per job. Its log is the truth; the state in memory is the fold of it, made anew when the object
 * wakes. Every command takes one turn: decide, append the entries and write the timers in one transaction, then wake
 * the watchers. Nobody is told what is not in the log.
 *
 * Two timers stand behind a job: the lease (a transcoder that falls silent loses it) and the doorbell (a job that
 * stays pending is put into the queue again; duplicates are harmless because the lease decides).
 */
import { DurableObject } from 'cloudflare:workers';
import type { Entry } from '../../contract/entries.ts';
import type { ProblemCode } from '../../contract/errors.ts';
import type { Artifact, Job as JobView } from '../../contract/job.ts';
import { hasEnded, type Status } from '../../contract/stages.ts';
import type {
  LeaseGrant,
  LeaseRequest,
  Report,
  ReportAnswer,
  TaskError,
  TaskResult,
} from '../../contract/transcoder.ts';
import { type Env, settings } from '../env.ts';
import { backoffMs, within } from '../timing.ts';
import { Chunks } from './chunks.ts';
import { Refusal } from './draft.ts';
import { grant } from './grant.ts';
import { guard } from './guard.ts';
import { Log, parseRow } from './log.ts';
import { type Command, decide, type TimelessCommand } from './machine.ts';
import { artifactIsPublic, type Outputs, outputs, segmentIsPublic } from './outputs.ts';
import { RETRY, statusText } from './sse.ts';
import { apply, type JobState } from './state.ts';
import { Timers } from './timers.ts';
import { view } from './view.ts';
import { Watchers } from './watchers.ts';

/** A lease alarm this late means that the edge itself was away. */
const LATE_MS = 5000;

/** When a job that stays pending is put into the queue again: minutes after the time before; the last one repeats. */
const RING_AGAIN_MINUTES = [1, 5, 15, 60];

/** How long the queue may take to accept a message. */
const SEND_MS = 5000;

/** What a method answers over RPC, where errors lose their class: the value, or the code to refuse with. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; code: ProblemCode; detail: string };

export type NewJob = Omit<Extract<Command, { type: 'create' }>, 'type' | 'at'>;

export class Job extends DurableObject<Env> {
  readonly #log: Log;
  readonly #timers: Timers;
  readonly #watchers: Watchers;
  #state: JobState | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#log = new Log(ctx.storage.sql);
    this.#timers = new Timers(ctx.storage);
    this.#watchers = new Watchers(
      new Chunks(
        (after, limit) => this.#log.visibleAfter(after, limit),
        () => this.#state?.last_seq ?? 0,
      ),
    );
    for (const entry of this.#log.all()) this.#state = apply(this.#state, entry);
  }

  async create(job: NewJob): Promise<void> {
    this.#run({ type: 'create', ...job });
  }

  async view(): Promise<JobView | null> {
    return this.#state && view(this.#state);
  }

  async events(after: number, limit: number): Promise<Outcome<Entry[]>> {
    return this.#answer(() => {
      this.#known();
      return this.#log.visibleAfter(after, limit).map(parseRow);
    });
  }

  async cancel(by: string): Promise<Outcome<Status>> {
    return this.#answer(() => this.#run({ type: 'cancel', by }).status);
  }

  /** A new run of a failed or cancelled job. */
  async retry(): Promise<Outcome<Status>> {
    return this.#answer(() => this.#run({ type: 'retry' }).status);
  }

  /** How many watchers are connected, and whether a timer runs for them. */
  get watching(): { watchers: number; isTicking: boolean } {
    return { watchers: this.#watchers.size, isTicking: this.#watchers.isTicking };
  }

  async lease(request: LeaseRequest): Promise<Outcome<LeaseGrant>> {
    return this.#answer(() => {
      return grant(this.#run({ type: 'lease', ...request }), settings(this.env).LEASE_MS);
    });
  }

  /** A batch already taken changes nothing but renews the lease all the same. */
  async report({ lease, batch, entries, commits }: Report): Promise<Outcome<ReportAnswer>> {
    return this.#answer(() => {
      this.#known();
      const timer = this.#timers.get('lease');
      const isRepeated = timer?.lease === lease && batch <= timer.batch;
      const news = isRepeated ? { entries: [], commits: [] } : { entries, commits };
      const state = this.#run({ type: 'report', lease, ...news }, batch);
      return { cancel: state.lease?.end === 'cancelled' };
    });
  }

  /** Whether the lease is the live one; refuses otherwise. */
  async check(lease: number): Promise<Outcome<null>> {
    return this.#answer(() => {
      const held = this.#known().lease;
      if (held?.n !== lease || held.end !== 'live')
        throw new Refusal('lease_lost', `Lease ${lease} is no longer valid.`);
      return null;
    });
  }

  async release(lease: number): Promise<Outcome<null>> {
    return this.#answer(() => {
      this.#run({ type: 'release', lease });
      return null;
    });
  }

  /** Begins the stage storage. `outputs` is what has to be verified; `null` when this lease has already finished. */
  async store(lease: number): Promise<Outcome<{ status: Status; outputs: Outputs | null }>> {
    return this.#answer(() => {
      const state = this.#run({ type: 'store', lease });
      if (state.lease?.end === 'live') return { status: state.status, outputs: outputs(state, true) };
      return { status: state.lease?.status ?? state.status, outputs: null };
    });
  }

  async complete(lease: number, result: TaskResult, artifacts: Artifact[]): Promise<Outcome<Status>> {
    return this.#answer(() => this.#run({ type: 'complete', lease, result, artifacts }).status);
  }

  async fail(lease: number, error: TaskError): Promise<Outcome<Status>> {
    return this.#answer(() => {
      const { lease: held, status } = this.#run({ type: 'fail', lease, error });
      return held?.status ?? status;
    });
  }

  /** What the manifests are rendered from; `closed` after completion. Refuses when there is nothing to play (any more). */
  async outputs(): Promise<Outcome<{ closed: boolean; outputs: Outputs }>> {
    return this.#answer(() => {
      const state = this.#playing();
      const closed = state.status === 'completed';
      return { closed, outputs: outputs(state, closed) };
    });
  }

  /** Whether readers may have this segment; refuses otherwise. */
  async segment(rendition: string, take: number, n: number): Promise<Outcome<null>> {
    return this.#answer(() => {
      if (!segmentIsPublic(this.#playing(), rendition, take, n)) throw new Refusal('not_found', 'No such segment.');
      return null;
    });
  }

  /** Whether readers may have this file of an artifact; refuses otherwise. */
  async artifact(name: string, take: number, file: string): Promise<Outcome<null>> {
    return this.#answer(() => {
      if (!artifactIsPublic(this.#playing(), name, take, file)) throw new Refusal('not_found', 'No such file.');
      return null;
    });
  }

  /** The stream. `after` is the client's last event id in any spelling; anything unusable begins afresh. */
  override async fetch(request: Request): Promise<Response> {
    const state = this.#state;
    if (state === null) return new Response(null, { status: 404 });
    const { last_seq, last_visible_seq, run_seq } = state;
    const ended = hasEnded(state.status);
    const given = new URL(request.url).searchParams.get('after') ?? '';
    const after = /^\d{1,15}$/.test(given) ? Number(given) : null;

    if (ended && after === last_visible_seq) return new Response(null, { status: 204 });
    const resumes = after !== null && after <= last_seq && (after === 0 || after >= run_seq);
    const cursor = resumes ? after : ended ? last_visible_seq - 1 : last_visible_seq;
    const head = resumes ? '' : statusText(view(state), cursor, Date.now());
    return new Response(this.#watchers.join(RETRY + head, cursor, last_visible_seq, request.signal));
  }

  /** Never throws: the platform would repeat it with growing delays and, in the end, drop it. */
  override async alarm(): Promise<void> {
    try {
      this.#takeBack();
      await this.#ring();
    } catch (error) {
      console.error(JSON.stringify({ msg: 'alarm failed', job: this.#state?.job_id, error: String(error) }));
      await this.#timers.arm();
    }
  }

  /** One turn: nothing here may wait. `batch` is the report's, for the lease timer. */
  #run(command: TimelessCommand, batch = 0): JobState {
    const at = Date.now();
    const entries = decide(this.#state, { ...command, at } as Command);
    const state = entries.reduce<JobState | null>(apply, this.#state);
    if (state === null) throw new Refusal('job_not_found', 'There is no job with this id.');
    this.ctx.storage.transactionSync(() => {
      this.#log.append(entries);
      guard(this.#timers, { state, entries, command, at, batch, leaseMs: settings(this.env).LEASE_MS });
    });
    void this.#timers.arm();
    this.#state = state;
    if (entries.length > 0) this.#watchers.wake();
    return state;
  }

  #takeBack(): void {
    const now = Date.now();
    const timer = this.#timers.get('lease');
    if (!timer || timer.due_at > now) return;
    const { lease, batch } = timer;
    if (now - timer.due_at > LATE_MS && !timer.graced) {
      this.#timers.set('lease', now + settings(this.env).LEASE_MS, { lease, batch, graced: true });
    } else {
      this.#run({ type: 'expire', lease });
    }
  }

  async #ring(): Promise<void> {
    const timer = this.#timers.get('doorbell');
    const job_id = this.#state?.job_id;
    if (!timer || timer.due_at > Date.now() || !job_id) return this.#timers.arm();

    const { rung, failed } = timer;
    const again = Date.now() + 1000 + backoffMs(failed);
    this.#timers.set('doorbell', again, { rung, failed: failed + 1 });
    await this.#timers.arm();
    await within(SEND_MS, this.env.TRANSCODE_QUEUE.send({ job_id, task: 'main' }));

    // Meanwhile the job may have been taken, and even handed back: then its new doorbell stands.
    if (this.#timers.get('doorbell')?.due_at !== again) return;
    const minutes = RING_AGAIN_MINUTES[Math.min(rung, RING_AGAIN_MINUTES.length - 1)] ?? 60;
    this.#timers.set('doorbell', Date.now() + minutes * 60_000, { rung: rung + 1, failed: 0 });
    await this.#timers.arm();
  }

  #known(): JobState {
    if (this.#state === null) throw new Refusal('job_not_found', 'There is no job with this id.');
    return this.#state;
  }

  #playing(): JobState {
    const state = this.#known();
    if (state.status === 'failed') throw new Refusal('job_failed', 'The job failed; its outputs are gone.');
    if (state.status === 'cancelled')
      throw new Refusal('job_cancelled', 'The job was cancelled; its outputs are gone.');
    return state;
  }

  #answer<T>(act: () => T): Outcome<T> {
    try {
      return { ok: true, value: act() };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, code: error.code, detail: error.message };
      throw error;
    }
  }
}
