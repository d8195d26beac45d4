/**
 * The log of one job: what was logged before is asked for, what comes is heard. A stream that begins afresh may have
 * left something out, and what is heard before the rest has been read would leave it out: then the rest is asked for
 * again.
 */
import type { StreamEvent, VisibleEntry } from '../../../client/index.ts';
import { client } from './client.ts';
import { jobs } from './jobs.ts';
import { reaching } from './reach.ts';
import { Store } from './store.ts';

const PAGE = 1000;

export class JobLog {
  /** In order, without what is internal. */
  readonly entries = new Store<readonly VisibleEntry[]>([]);
  readonly #id: string;
  #isAsking = false;
  /** The server may have more after the last entry. */
  #isBehind = true;

  constructor(id: string) {
    this.#id = id;
  }

  /** Keeps the log up to date until the returned function is called. */
  follow(): () => void {
    void this.ask();
    return jobs.listen(this.#id, (event) => this.#hear(event));
  }

  /** Everything after the last entry that is known. */
  async ask(): Promise<void> {
    this.#isBehind = true;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (this.#isBehind) {
        this.#isBehind = false;
        const after = this.entries.get().at(-1)?.seq ?? 0;
        const answer = await reaching(client.jobs.events(this.#id, { after, limit: PAGE }));
        this.#add(answer?.events ?? []);
        if (!answer || answer.events.length === PAGE) this.#isBehind = true;
        if (!answer) break;
      }
    } catch {
      // A job that is gone, or is not to be seen any more, is the page's to tell.
      this.#isBehind = true;
    } finally {
      this.#isAsking = false;
    }
  }

  #hear(event: StreamEvent): void {
    if (event.event === 'status' || this.#isAsking || this.#isBehind) void this.ask();
    else
      this.#add([
        { seq: event.id, type: event.event, at: Date.parse(event.data.timestamp), data: event.data } as VisibleEntry,
      ]);
  }

  #add(entries: readonly VisibleEntry[]): void {
    const last = this.entries.get().at(-1)?.seq ?? 0;
    const more = entries.filter(({ seq, type }) => seq > last && !type.startsWith('_'));
    if (more.length > 0) this.entries.set([...this.entries.get(), ...more]);
  }
}
