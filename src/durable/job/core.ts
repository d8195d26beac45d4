/**
 * The heart of a job object: the log, the state that is the fold of it, and the timers. `run` is one turn, in which
 * nothing waits: decide, append the entries and write the timers in one transaction. An object that wakes reads its log
 * again. What storage has lost is made good where it can be (a timer, a lease that nobody holds); a job whose log has
 * gaps fails, with a sentence that says so.
 */
import type { Entry } from '../../contract/entries.ts';
import { type Env, settings } from '../env.ts';
import { jobNotFound } from './draft.ts';
import { guard, mend, type Periods } from './guard.ts';
import { tell } from './journal.ts';
import { Log } from './log.ts';
import { type Command, decide, type TimelessCommand } from './machine.ts';
import { apply, type JobState } from './state.ts';
import { Timers } from './timers.ts';

/** A lease alarm this late means that the edge itself was away. */
const LATE_MS = 5000;

export class JobCore {
  readonly log: Log;
  readonly timers: Timers;
  readonly #storage: DurableObjectStorage;
  readonly #periods: Periods;
  readonly #onNews: () => void;
  #state: JobState | null = null;
  #log: 'none' | 'whole' | 'damaged' = 'none';

  /** `onNews` is called after every turn that has added to the log. */
  constructor(storage: DurableObjectStorage, env: Env, onNews: () => void) {
    this.log = new Log(storage.sql);
    this.timers = new Timers(storage);
    this.#storage = storage;
    const { LEASE_MS, RETENTION_DAYS, UPLOAD_EXPIRY_MS } = settings(env);
    this.#periods = { leaseMs: LEASE_MS, retentionDays: RETENTION_DAYS, uploadExpiryMs: UPLOAD_EXPIRY_MS };
    this.#onNews = onNews;
  }

  /** Null for an id that no job has. A deleted job has one until it is erased. */
  get state(): JobState | null {
    return this.#state;
  }

  /** Whether the state tells all that there was; what it does not name may be needed all the same. */
  get isWhole(): boolean {
    return this.#log !== 'damaged';
  }

  /** Whether there is, or was, a job that has not been deleted. */
  get isOwned(): boolean {
    return this.#state ? !this.#state.deleted : this.#log === 'damaged';
  }

  /** The state of a job that is there for others; refuses when there is none. */
  known(): JobState {
    if (this.#state === null || this.#state.deleted) throw jobNotFound();
    return this.#state;
  }

  /** `batch` is the report's, for the lease timer. */
  run(command: TimelessCommand, batch = 0): JobState {
    const at = Date.now();
    const before = this.#state;
    const entries = decide(before, { ...command, at } as Command);
    const after = entries.reduce<JobState | null>(apply, before);
    if (after === null) throw jobNotFound();
    this.#storage.transactionSync(() => {
      this.log.append(entries);
      guard(this.timers, { before, after, entries, command, at, batch }, this.#periods);
    });
    this.#state = after;
    if (entries.length > 0) this.#onNews();
    tell(entries, after);
    void this.timers.arm();
    return after;
  }

  /** Applies the timers that are due and change the job itself. */
  tick(): void {
    const now = Date.now();
    const expiry = this.timers.get('expiry');
    if (expiry && expiry.due_at <= now) this.run({ type: 'delete', by: 'retention' });
    const upload = this.timers.get('upload');
    if (upload && upload.due_at <= now) this.run({ type: 'expire_upload' });

    const held = this.timers.get('lease');
    if (!held || held.due_at > now) return;
    const { lease, batch } = held;
    if (now - held.due_at > LATE_MS && !held.graced) {
      this.timers.set('lease', now + this.#periods.leaseMs, { lease, batch, graced: true });
    } else {
      this.run({ type: 'expire', lease });
    }
  }

  async forget(): Promise<void> {
    this.#state = null;
    this.#log = 'none';
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
  }

  /** To be called once, before all else. */
  recall(): void {
    const { entries, isWhole, last } = this.log.load();
    const state = foldFrom(entries);
    if (last > 0) this.#log = isWhole && state ? 'whole' : 'damaged';
    if (!state) return;
    this.#state = { ...state, last_seq: last };
    if (!state.deleted) this.#state = this.run({ type: isWhole ? 'repair' : 'condemn' });
    mend(this.timers, this.#state, Date.now(), this.#periods);
    void this.timers.arm();
  }
}

/** Null where a log should be and its first entry is not: nothing can be told about such a job. */
function foldFrom(entries: readonly Entry[]): JobState | null {
  if (entries[0]?.type !== '_job') return null;
  return entries.reduce<JobState | null>(apply, null);
}
