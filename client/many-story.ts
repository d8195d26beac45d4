/**
 * The story of several jobs over one connection. An id of theirs is the seqs of all jobs in the order asked, joined by
 * dots; each event moves the place of its own job. Where nothing has been told yet the place stays empty, which asks for
 * that job from its beginning. Jobs may be added: what is known of the others stays.
 */
import { EVENT_NAMES, isEnd, isEventName, type StreamEvent, type Unavailable } from './events.ts';
import { eventId } from './options.ts';
import type { Story, Taken } from './story.ts';

export interface ManyTellers {
  tell(event: StreamEvent): void;
  miss(job: Unavailable): void;
}

export const MANY_NAMES: readonly string[] = [...EVENT_NAMES, 'unavailable'];

export class ManyStory implements Story {
  readonly jobs: readonly string[];
  readonly #tellers: ManyTellers;
  readonly #seqs: Map<string, number>;
  /** Those of whom nothing more is to come. */
  readonly #over = new Set<string>();

  /** `seqs`: what is known of jobs that were watched before. */
  constructor(jobs: readonly string[], seqs: ReadonlyMap<string, number>, tellers: ManyTellers) {
    this.jobs = jobs;
    this.#seqs = new Map([...seqs].filter(([job]) => jobs.includes(job)));
    this.#tellers = tellers;
  }

  get seqs(): ReadonlyMap<string, number> {
    return this.#seqs;
  }

  /** Whether this job is followed and may still have something to say. */
  isLive(job: string): boolean {
    return this.jobs.includes(job) && !this.#over.has(job);
  }

  get resumesAt(): string | null {
    return this.#seqs.size === 0 ? null : this.jobs.map((job) => this.#seqs.get(job) ?? '').join('.');
  }

  take(name: string, data: string, id: string): Taken {
    if (!MANY_NAMES.includes(name)) return 'taken';
    const told = JSON.parse(data) as { job_id: string };
    const job = told.job_id;
    const seq = eventId(id.split('.')[this.jobs.indexOf(job)]);
    if (seq === null) return 'ignored';
    if (!isEventName(name)) {
      this.#over.add(job);
      this.#tellers.miss(told as Unavailable);
    } else {
      if (name !== 'status' && seq <= (this.#seqs.get(job) ?? -1)) return 'ignored';
      this.#seqs.set(job, seq);
      const event = { event: name, id: seq, data: told } as unknown as StreamEvent;
      if (isEnd(event)) this.#over.add(job);
      else this.#over.delete(job);
      this.#tellers.tell(event);
    }
    return this.jobs.every((one) => this.#over.has(one)) ? 'ended' : 'taken';
  }
}
