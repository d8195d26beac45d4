/**
 * The list of jobs: which filter is set, how many pages are shown, and the ids in their order. The jobs themselves are
 * where all jobs are. It is read again while it is shown.
 */
import { ApiError, type JobsPage, type ListOptions, type Status } from '../../../client/index.ts';
import { client } from './client.ts';
import { jobs } from './jobs.ts';
import { poll } from './poll.ts';
import { reaching, sentenceOf } from './reach.ts';
import { Store } from './store.ts';

export interface Filter {
  readonly status: Status | null;
  /** What a key begins with. */
  readonly q: string;
}

export interface List {
  readonly filter: Filter;
  /** Null as long as nothing has been read. */
  readonly ids: readonly string[] | null;
  readonly hasMore: boolean;
  /** What the server said instead of a list. */
  readonly problem: string | null;
}

const PAGE = 50;

class JobList {
  readonly state = new Store<List>({ filter: { status: null, q: '' }, ids: null, hasMore: false, problem: null });
  #pages = 1;

  /** Reads until the returned function is called; while it does, what goes on is watched. */
  show(): () => void {
    const { stop } = poll(() => this.read());
    jobs.want(this, this.state.get().ids ?? []);
    return () => {
      stop();
      jobs.want(this, []);
    };
  }

  set(filter: Filter): void {
    this.#pages = 1;
    this.state.set({ filter, ids: null, hasMore: false, problem: null });
    void this.read();
  }

  async more(): Promise<void> {
    this.#pages += 1;
    await this.read();
  }

  remove(id: string): void {
    const { ids } = this.state.get();
    if (ids) this.state.change({ ids: ids.filter((one) => one !== id) });
  }

  async read(): Promise<void> {
    const { filter } = this.state.get();
    const ids: string[] = [];
    let cursor: string | null = null;
    try {
      for (let page = 0; page < this.#pages && (page === 0 || cursor !== null); page++) {
        const query: ListOptions = { limit: PAGE, cursor };
        if (filter.status) query.status = filter.status;
        if (filter.q) query.q = filter.q;
        const answer: JobsPage | null = await reaching(client.jobs.list(query));
        if (!answer || this.state.get().filter !== filter) return;
        jobs.listed(answer.jobs);
        ids.push(...answer.jobs.map(({ id }) => id));
        cursor = answer.next_cursor;
      }
      this.#put({ filter, ids: [...new Set(ids)], hasMore: cursor !== null, problem: null });
    } catch (error) {
      if (!(error instanceof ApiError) || this.state.get().filter !== filter) return;
      this.state.change({ problem: sentenceOf(error) });
    }
  }

  #put(list: List): void {
    const { ids, hasMore, problem } = this.state.get();
    const isSame = ids?.join() === list.ids?.join() && hasMore === list.hasMore && problem === list.problem;
    if (!isSame) this.state.set(list);
    jobs.want(this, list.ids ?? []);
  }
}

export const list = new JobList();
