/**
 * What waits to be reported, in the order it was said. A report applies its commits before its entries, so any prefix
 * of the queue makes a report in which no entry speaks of a commit that comes later. A `progress` that has not left
 * yet gives way to the next one.
 */
import type { Commit } from '../../src/contract/job.ts';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import { MAX_COMMITS, MAX_ENTRIES } from '../limits.ts';

type Item = { readonly entry: TaskEntry } | { readonly commit: Commit };

export class Outbox {
  readonly #items: Item[] = [];

  get empty(): boolean {
    return this.#items.length === 0;
  }

  say(entry: TaskEntry): void {
    const last = this.#items.at(-1);
    if (entry.type === 'progress' && last && 'entry' in last && last.entry.type === 'progress') this.#items.pop();
    this.#items.push({ entry });
  }

  commit(commit: Commit): void {
    this.#items.push({ commit });
  }

  /** Takes the longest prefix that fits into one report. */
  take(): { entries: TaskEntry[]; commits: Commit[] } {
    const entries: TaskEntry[] = [];
    const commits: Commit[] = [];
    let taken = 0;
    for (const item of this.#items) {
      if ('entry' in item) {
        if (entries.length === MAX_ENTRIES) break;
        entries.push(item.entry);
      } else {
        if (commits.length === MAX_COMMITS) break;
        commits.push(item.commit);
      }
      taken += 1;
    }
    this.#items.splice(0, taken);
    return { entries, commits };
  }
}
