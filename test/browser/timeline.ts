/** A job's stream as a test wants it: everything told so far, and a promise for what is still to come. */
import { follow, type Told } from '../e2e/follow.ts';

type Wanted = (told: Told) => boolean;

export class Timeline {
  readonly told: Told[] = [];
  /** Resolves with the end of the run, its last event told. */
  readonly ended: Promise<void>;
  readonly #waiting = new Set<{ wanted: Wanted; resolve: (told: Told) => void }>();

  constructor(edge: string, job: string) {
    const stream = `${edge}/jobs/${job}/stream?last_event_id=0`;
    // What ends the run is not asked about, only handed over with all the rest.
    this.ended = follow(stream, (told) => this.#hear(told)).then((all) => {
      for (const told of all.slice(this.told.length)) this.#hear(told);
    });
  }

  has(event: string): boolean {
    return this.told.some((told) => told.event === event);
  }

  /** The first event that is wanted, past ones included. */
  until(wanted: Wanted): Promise<Told> {
    const past = this.told.find(wanted);
    if (past) return Promise.resolve(past);
    return new Promise((resolve) => this.#waiting.add({ wanted, resolve }));
  }

  /** Always false: more is to come. */
  #hear(told: Told): false {
    this.told.push(told);
    for (const waiting of this.#waiting) {
      if (!waiting.wanted(told)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(told);
    }
    return false;
  }
}
