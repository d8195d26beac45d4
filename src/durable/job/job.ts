/**
 * One Durable Object per job. Its log is the truth; the state in memory is the fold of it, made anew when the object
 * wakes. Every command takes one turn: decide, append the entries and write the timers in one transaction, then wake
 * the watchers. Nobody is told what is not in the log.
 *
 * The alarm is the earliest of the job's timers: first it applies those that change the job (a transcoder that fell
 * silent loses its lease, a job past its time is deleted), then it runs the errands that are due. Those that a command
 * brings with it begin at once, and do not wait for an alarm that waits for something else.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Entry } from '../../contract/entries.ts';
import { FINAL, outputKey } from '../../contract/ids.ts';
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
import { answer, type Outcome } from '../outcome.ts';
import { within } from '../timing.ts';
import { Chunks } from './chunks.ts';
import { JobCore } from './core.ts';
import { Refusal } from './draft.ts';
import { runErrands } from './errands.ts';
import { grant } from './grant.ts';
import { parseRow } from './log.ts';
import type { Command } from './machine.ts';
import { artifactIsPublic, type Outputs, outputs, segmentIsPublic } from './outputs.ts';
import { RETRY, statusText } from './sse.ts';
import type { JobState } from './state.ts';
import { view } from './view.ts';
import { Watchers } from './watchers.ts';

/** When an alarm that could not change the job comes again. */
const FAILED_MS = 60_000;

/** How long storage may take to remove one object. */
const REMOVE_MS = 5000;

export type NewJob = Omit<Extract<Command, { type: 'create' }>, 'type' | 'at'>;

export class Job extends DurableObject<Env> {
  readonly #core: JobCore;
  readonly #watchers: Watchers;
  readonly #maxWatchers: number;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const chunks = new Chunks(
      (after, limit) => this.#core.log.visibleAfter(after, limit),
      () => this.#core.state?.last_visible_seq ?? 0,
    );
    this.#watchers = new Watchers(chunks);
    this.#maxWatchers = settings(env).MAX_WATCHERS_PER_JOB;
    this.#core = new JobCore(ctx.storage, env, () => this.#tell());
    this.#core.recall();
  }

  /** `webhook`: the endpoint of the job's own, besides those that hear of every job. */
  async create(job: NewJob, webhook: string | null = null): Promise<void> {
    this.#core.run({ type: 'create', ...job });
    if (webhook !== null && !this.#core.state?.deleted) this.#core.run({ type: 'subscribe', endpoints: [webhook] });
  }

  /** So much of the source has arrived. Refuses when it is not wanted any more. */
  async receive(bytes: number, total: number | null): Promise<Outcome<null>> {
    return answer(() => {
      this.#core.run({ type: 'receive', bytes, total });
      return null;
    });
  }

  /** The source is whole. Refuses when it is not wanted any more. */
  async received(size_bytes: number, content_type: string): Promise<Outcome<null>> {
    return answer(() => {
      this.#core.run({ type: 'received', size_bytes, content_type });
      return null;
    });
  }

  /** The source will never be whole: what had arrived of it is lost. */
  async loseSource(): Promise<Outcome<null>> {
    return answer(() => {
      this.#core.run({ type: 'expire_upload' });
      return null;
    });
  }

  /** Where the source is to be fetched from, and for which run; null when it is not. */
  async toFetch(): Promise<{ url: string; run: number } | null> {
    const { state } = this.#core;
    if (!state?.url || state.deleted || state.source || hasEnded(state.status)) return null;
    return { url: state.url, run: state.run_seq };
  }

  /** The source is not whole yet: fetching goes on after `wait` ms. */
  async fetchAgain(run: number, wait: number): Promise<Outcome<null>> {
    return answer(() => {
      this.#core.run({ type: 'fetch_again', run, wait });
      return null;
    });
  }

  /** The source cannot be fetched. */
  async failSource(run: number, error: TaskError): Promise<Outcome<null>> {
    return answer(() => {
      this.#core.run({ type: 'fail_source', run, ...error });
      return null;
    });
  }

  async view(): Promise<JobView | null> {
    const { state } = this.#core;
    return state && !state.deleted ? view(state) : null;
  }

  async events(after: number, limit: number, withInternal = false): Promise<Outcome<Entry[]>> {
    return answer(() => {
      this.#core.known();
      const { log } = this.#core;
      return (withInternal ? log.after(after, limit) : log.visibleAfter(after, limit)).map(parseRow).map(withoutQuery);
    });
  }

  async cancel(by: string): Promise<Outcome<Status>> {
    return answer(() => this.#core.run({ type: 'cancel', by }).status);
  }

  /** A new run of a failed or cancelled job. */
  async retry(by: string): Promise<Outcome<Status>> {
    return answer(() => {
      if (!this.#core.isWhole) {
        throw new Refusal(
          'invalid_state',
          "Part of the job's log is lost; it cannot be tried again. Upload the video again.",
        );
      }
      return this.#core.run({ type: 'retry', by }).status;
    });
  }

  /** From now on nobody finds it; its objects go at once and, for what is on its way, once more later. */
  async delete(by: string): Promise<Outcome<null>> {
    const outcome = answer(() => this.#core.run({ type: 'delete', by }));
    if (!outcome.ok) return outcome;
    await this.#hide(outcome.value.job_id);
    return { ok: true, value: null };
  }

  /** Whether a job has objects under this id; also one that cannot be shown because its log cannot be read. */
  async isOwned(): Promise<boolean> {
    return this.#core.isOwned;
  }

  /** Whatever timers and alarm were lost, the job has them again after this. Harmless for any id. */
  async wake(): Promise<void> {
    await this.#core.timers.arm();
  }

  /** How many watchers are connected, and whether a timer runs for them. */
  get watching(): { watchers: number; isTicking: boolean } {
    return { watchers: this.#watchers.size, isTicking: this.#watchers.isTicking };
  }

  async lease(request: LeaseRequest): Promise<Outcome<LeaseGrant>> {
    return answer(() => {
      return grant(this.#core.run({ type: 'lease', ...request }), settings(this.env).LEASE_MS);
    });
  }

  /** A batch already taken changes nothing but renews the lease all the same. */
  async report({ lease, batch, entries, commits }: Report): Promise<Outcome<ReportAnswer>> {
    return answer(() => {
      this.#core.known();
      const timer = this.#core.timers.get('lease');
      const isRepeated = timer?.lease === lease && batch <= timer.batch;
      const news = isRepeated ? { entries: [], commits: [] } : { entries, commits };
      const state = this.#core.run({ type: 'report', lease, ...news }, batch);
      return { cancel: state.lease?.end === 'cancelled' };
    });
  }

  /** Whether the lease is the live one; refuses otherwise. */
  async check(lease: number): Promise<Outcome<null>> {
    return answer(() => {
      const held = this.#core.known().lease;
      if (held?.n !== lease || held.end !== 'live')
        throw new Refusal('lease_lost', `Lease ${lease} is no longer valid.`);
      return null;
    });
  }

  async release(lease: number): Promise<Outcome<null>> {
    return answer(() => {
      this.#core.run({ type: 'release', lease });
      return null;
    });
  }

  /** Begins the stage storage. `outputs` is what has to be verified; `null` when this lease has already finished. */
  async store(lease: number): Promise<Outcome<{ status: Status; outputs: Outputs | null }>> {
    return answer(() => {
      const state = this.#core.run({ type: 'store', lease });
      if (state.lease?.end === 'live') return { status: state.status, outputs: outputs(state, true) };
      return { status: state.lease?.status ?? state.status, outputs: null };
    });
  }

  async complete(lease: number, result: TaskResult, artifacts: Artifact[]): Promise<Outcome<Status>> {
    return answer(() => this.#core.run({ type: 'complete', lease, result, artifacts }).status);
  }

  async fail(lease: number, error: TaskError): Promise<Outcome<Status>> {
    return answer(() => {
      const { lease: held, status } = this.#core.run({ type: 'fail', lease, error });
      return held?.status ?? status;
    });
  }

  /** What the manifests are rendered from; `closed` after completion. Refuses when there is nothing to play (any more). */
  async outputs(): Promise<Outcome<{ closed: boolean; outputs: Outputs }>> {
    return answer(() => {
      const state = this.#playing();
      const closed = state.status === 'completed';
      return { closed, outputs: outputs(state, closed) };
    });
  }

  /** Whether readers may have this segment; refuses otherwise. */
  async segment(rendition: string, take: number, n: number): Promise<Outcome<null>> {
    return answer(() => {
      if (!segmentIsPublic(this.#playing(), rendition, take, n)) throw new Refusal('not_found', 'No such segment.');
      return null;
    });
  }

  /** Whether readers may have this file of an artifact; refuses otherwise. */
  async artifact(name: string, take: number, file: string): Promise<Outcome<null>> {
    return answer(() => {
      if (!artifactIsPublic(this.#playing(), name, take, file)) throw new Refusal('not_found', 'No such file.');
      return null;
    });
  }

  /** The stream. `after` is the client's last event id in any spelling; anything unusable begins afresh. */
  override async fetch(request: Request): Promise<Response> {
    const { state } = this.#core;
    if (state === null || state.deleted) return new Response(null, { status: 404 });
    const { last_seq, last_visible_seq, run_seq } = state;
    const ended = hasEnded(state.status);
    const given = new URL(request.url).searchParams.get('after') ?? '';
    const after = /^\d{1,15}$/.test(given) ? Number(given) : null;

    if (ended && after === last_visible_seq) return new Response(null, { status: 204 });
    if (this.#watchers.size >= this.#maxWatchers) return new Response(null, { status: 429 });
    const resumes = after !== null && after <= last_seq && (after === 0 || after >= run_seq);
    const cursor = resumes ? after : ended ? last_visible_seq - 1 : last_visible_seq;
    const head = resumes ? '' : statusText(view(state), cursor, Date.now());
    return new Response(this.#watchers.join(RETRY + head, cursor, last_visible_seq, request.signal));
  }

  /** There is something new in the log. */
  #tell(): void {
    this.#watchers.wake();
    void runErrands(this.env, this.#core);
  }

  /** Never throws: the platform would repeat it with growing delays and, in the end, drop it. */
  override async alarm(): Promise<void> {
    let notBefore = 0;
    try {
      this.#core.tick();
      await this.#core.timers.arm();
    } catch (error) {
      console.error(JSON.stringify({ msg: 'alarm failed', job: this.#core.state?.job_id, error: String(error) }));
      notBefore = Date.now() + FAILED_MS;
    }
    await runErrands(this.env, this.#core);
    await this.#core.timers.arm(notBefore);
  }

  /** Finished outputs are served without a look at the job while this sign is there; should it stay now, it is erased. */
  async #hide(job_id: string): Promise<void> {
    try {
      await within(REMOVE_MS, this.env.OUTPUT.delete(outputKey(job_id, FINAL)));
    } catch (error) {
      console.error(JSON.stringify({ msg: 'outputs could not be hidden', job: job_id, error: String(error) }));
    }
  }

  #playing(): JobState {
    const state = this.#core.known();
    if (state.status === 'failed') throw new Refusal('job_failed', 'The job failed; its outputs are gone.');
    if (state.status === 'cancelled')
      throw new Refusal('job_cancelled', 'The job was cancelled; its outputs are gone.');
    return state;
  }
}

/** The query of a URL may hold what opens it to everybody: nobody is shown it again. */
function withoutQuery(entry: Entry): Entry {
  if (entry.type !== '_job' || entry.data.url === null) return entry;
  const { origin, pathname } = new URL(entry.data.url);
  return { ...entry, data: { ...entry.data, url: origin + pathname } };
}
