/**
 * All jobs the page knows, and the one connection that keeps those up to date that somebody looks at and that still go
 * on. What comes in a tenth of a second is shown together, so that fifty busy jobs cost no more than ten renderings a
 * second, and each only its own row.
 */
import { useSyncExternalStore } from 'react';
import { EVENT_NAMES } from '../../../client/events.ts';
import {
  type ConnectionState,
  type Job,
  type JobSummary,
  type StreamEvent,
  WatchError,
} from '../../../client/index.ts';
import { MOST_JOBS, type WatchMany } from '../../../client/watch-many.ts';
import { client } from './client.ts';
import { afterEvent, isActive, type LiveJob, withAnswer, withSummary } from './live-job.ts';
import { say } from './say.ts';
import { session } from './session.ts';
import { Store } from './store.ts';

const TOGETHER_MS = 100;

/** What screen readers are told of any job that is watched. */
const TOLD: { [name in StreamEvent['event']]?: string } = {
  playable: 'can be played',
  complete: 'is done',
  error: 'has failed',
  cancelled: 'was cancelled',
};

type Listener = (event: StreamEvent) => void;

class Jobs {
  /** Of the stream; `closed` when nothing that is looked at goes on. */
  readonly connection = new Store<ConnectionState>('closed');
  readonly #known = new Map<string, LiveJob>();
  readonly #subscribers = new Map<string, Set<() => void>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #wanted = new Map<object, readonly string[]>();
  readonly #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: WatchMany | null = null;

  get(id: string): LiveJob | undefined {
    return this.#known.get(id);
  }

  subscribe(id: string, subscriber: () => void): () => void {
    return add(this.#subscribers, id, subscriber);
  }

  /** Every event of a job, as it comes. */
  listen(id: string, listener: Listener): () => void {
    return add(this.#listeners, id, listener);
  }

  /** These are on the screen, says `who`: those that go on are watched until `who` says otherwise. */
  want(who: object, ids: readonly string[]): void {
    if (ids.length === 0) this.#wanted.delete(who);
    else this.#wanted.set(who, ids);
    this.#follow();
  }

  listed(summaries: readonly JobSummary[]): void {
    for (const summary of summaries) this.#put(summary.id, withSummary(this.#known.get(summary.id), summary));
    this.#follow();
  }

  answered(job: Job): void {
    this.#put(job.id, withAnswer(this.#known.get(job.id), job));
    this.#follow();
  }

  /** A change that the server has just agreed to. */
  changed(id: string, status: Job['status']): void {
    const known = this.#known.get(id);
    if (known) this.#put(id, { ...known, status });
    this.#follow();
  }

  removed(id: string): void {
    this.#known.delete(id);
    this.#tell(id);
  }

  /** Another connection is opened only for jobs that the present one does not carry. */
  #follow(): void {
    const wanted = [...new Set([...this.#wanted.values()].flat())];
    const active = wanted.filter((id) => {
      const job = this.#known.get(id);
      return job !== undefined && isActive(job);
    });
    const watched = active.slice(0, MOST_JOBS);
    if (watched.length === 0) this.#watch?.close();
    else if (!watched.every((id) => this.#watch?.isLive(id))) {
      if (this.#watch) this.#watch.follow(watched);
      else this.#open(watched);
      this.#watch?.done.catch((error: unknown) => {
        const isSignedOut = error instanceof WatchError && error.code === 'refused' && error.status === 401;
        if (isSignedOut) session.change({ role: null });
      });
    }
  }

  #open(ids: readonly string[]): void {
    const watch = client.watchMany(ids);
    this.#watch = watch;
    this.connection.set(watch.state);
    watch.on('connection', (state) => this.connection.set(state));
    for (const name of EVENT_NAMES) watch.on(name, (_, event) => this.#hear(event));
  }

  #hear(event: StreamEvent): void {
    const id = event.data.job_id;
    this.#put(id, afterEvent(this.#known.get(id), event));
    if (event.event in TOLD) say(`${this.#known.get(id)?.key ?? 'A video'} ${TOLD[event.event]}`);
    for (const listener of this.#listeners.get(id) ?? []) listener(event);
  }

  #put(id: string, job: LiveJob | undefined): void {
    if (!job || job === this.#known.get(id)) return;
    this.#known.set(id, job);
    this.#tell(id);
  }

  #tell(id: string): void {
    this.#changed.add(id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const one of changed) for (const tell of this.#subscribers.get(one) ?? []) tell();
    }, TOGETHER_MS);
  }
}

function add<T>(sets: Map<string, Set<T>>, id: string, value: T): () => void {
  const set = sets.get(id) ?? new Set<T>();
  sets.set(id, set.add(value));
  return () => {
    set.delete(value);
    if (set.size === 0 && sets.get(id) === set) sets.delete(id);
  };
}

export const jobs = new Jobs();

export const useLiveJob = (id: string): LiveJob | undefined =>
  useSyncExternalStore(
    (subscriber) => jobs.subscribe(id, subscriber),
    () => jobs.get(id),
  );
