/**
 * A job for whoever shows it: a snapshot that is replaced whenever the stream says something. The stream is open while
 * somebody has subscribed.
 */
import type { Reelwire } from './client.ts';
import { WatchError } from './errors.ts';
import { EVENT_NAMES, type StreamEvent } from './events.ts';
import { jobAfter } from './job-view.ts';
import type { ConnectionState } from './run.ts';
import type { Job } from './types.ts';

export interface JobSnapshot {
  /** The job, kept up to date; null until the stream has told it. */
  readonly job: Job | null;
  /** The last event. */
  readonly last: StreamEvent | null;
  readonly connection: ConnectionState;
  /** Why there is no stream although the run has not ended. */
  readonly error: WatchError | null;
}

const NOTHING: JobSnapshot = { job: null, last: null, connection: 'connecting', error: null };
const CLOSED: JobSnapshot = { ...NOTHING, connection: 'closed' };

export class JobStore {
  readonly #client: Reelwire;
  readonly #id: string | null;
  readonly #subscribers = new Set<() => void>();
  #snapshot: JobSnapshot;
  #stop: (() => void) | null = null;

  /** `id` null: no job yet. */
  constructor(client: Reelwire, id: string | null) {
    this.#client = client;
    this.#id = id;
    this.#snapshot = id === null ? CLOSED : NOTHING;
  }

  readonly snapshot = (): JobSnapshot => this.#snapshot;

  readonly subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    if (this.#id !== null) this.#stop ??= this.#watch(this.#id);
    return () => {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  };

  #watch(id: string): () => void {
    const watch = this.#client.watch(id);
    this.#change({ connection: watch.state, error: null });
    watch.on('connection', (connection) => this.#change({ connection }));
    for (const name of EVENT_NAMES) {
      watch.on(name, (_, last) => this.#change({ last, job: jobAfter(this.#snapshot.job, last) }));
    }
    watch.done.catch((error: unknown) => {
      if (error instanceof WatchError && error.code !== 'closed') this.#change({ error });
    });
    return () => watch.close();
  }

  #change(change: Partial<JobSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const tell of this.#subscribers) tell();
  }
}
