/**
 * Entries in the making: each one added is folded at once, so that the next is decided on the state it led to.
 */
import type { Entry, EntryData, EntryType, VisibleEntry } from '../../contract/entries.ts';
import type { ProblemCode } from '../../contract/errors.ts';
import type { Stage, Status } from '../../contract/stages.ts';
import { apply, type JobState } from './state.ts';

/** The command is not legal in this state. `code` and the message go to the caller. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const jobNotFound = (): Refusal =>
  new Refusal('job_not_found', 'There is no job with this id; it may have been deleted.');

type InternalType = Extract<EntryType, `_${string}`>;
type VisibleType = VisibleEntry['type'];

export class Draft {
  readonly entries: Entry[] = [];
  readonly #at: number;
  #state: JobState | null;

  constructor(state: JobState | null, at: number) {
    this.#state = state;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get state(): JobState {
    if (this.#state === null) throw jobNotFound();
    return this.#state;
  }

  get exists(): boolean {
    return this.#state !== null;
  }

  note<T extends InternalType>(type: T, data: EntryData<T>): void {
    this.#add({ seq: this.#nextSeq(), type, at: this.#at, data } as Entry);
  }

  /** A visible entry; what `change` leaves out stays as it is. */
  say<T extends VisibleType>(
    type: T,
    message: string,
    details: EntryData<T>['details'],
    change: { status?: Status; stage?: Stage; progress?: number } = {},
  ): void {
    const { job_id, status, stage, progress } = this.state;
    const timestamp = new Date(this.#at).toISOString();
    const data = { job_id, status, stage, progress, ...change, message, timestamp, details };
    this.#add({ seq: this.#nextSeq(), type, at: this.#at, data } as Entry);
  }

  #nextSeq(): number {
    return (this.#state?.last_seq ?? 0) + 1;
  }

  #add(entry: Entry): void {
    this.#state = apply(this.#state, entry);
    this.entries.push(entry);
  }
}
