/**
 * Several jobs being watched over one connection. Handlers are told what each job's own watch would tell; `data.job_id`
 * says whose it is. When other jobs are to be followed, the connection is opened anew: those that stay go on after their
 * last events, those that come begin with `status`.
 */
import { WatchError } from './errors.ts';
import { EVENT_NAMES, type EventData, type EventName, type StreamEvent, type Unavailable } from './events.ts';
import { Listeners } from './listeners.ts';
import { ManyStory } from './many-story.ts';
import { checkWatchManyOptions, type WatchManyOptions } from './options.ts';
import { type ConnectionState, closed, Run, type RunSettings } from './run.ts';

type Handlers = { [N in EventName]: [data: EventData[N], event: StreamEvent<N>] } & {
  connection: [ConnectionState];
  unavailable: [Unavailable];
};

/** What one connection may carry. */
export const MOST_JOBS = 50;

const NAMES: readonly string[] = ['connection', 'unavailable', ...EVENT_NAMES];

export class WatchMany {
  readonly #settings: Omit<RunSettings, 'url'>;
  readonly #addressOf: (jobIds: readonly string[]) => string;
  readonly #signal: AbortSignal | null;
  readonly #listeners = new Listeners<Handlers>();
  readonly #onAbort = () => this.#finish(this.#run, closed(this.#signal?.reason));
  #state: ConnectionState = 'closed';
  #story: ManyStory = new ManyStory([], new Map(), { tell: () => undefined, miss: () => undefined });
  #run: Run | null = null;
  #done = Promise.withResolvers<void>();

  constructor(
    settings: Omit<RunSettings, 'url'>,
    addressOf: (jobIds: readonly string[]) => string,
    jobIds: readonly string[],
    options: WatchManyOptions,
  ) {
    checkWatchManyOptions(options);
    this.#settings = { ...settings, maxAttempts: options.maxAttempts ?? settings.maxAttempts };
    this.#addressOf = addressOf;
    this.#signal = options.signal ?? null;
    this.follow(jobIds);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Resolves when the runs of all jobs have ended. Rejects with a WatchError when the watch ends before. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Whether the job is followed and its run has not ended. */
  isLive(jobId: string): boolean {
    return this.#state !== 'closed' && this.#story.isLive(jobId.toLowerCase());
  }

  /** Calls the handler for every event of this name, of whichever job. Returns what stops it. */
  on(name: 'connection', handler: (state: ConnectionState) => void): () => void;
  on(name: 'unavailable', handler: (job: Unavailable) => void): () => void;
  on<N extends EventName>(name: N, handler: (data: EventData[N], event: StreamEvent<N>) => void): () => void;
  on<N extends keyof Handlers>(name: N, handler: (...args: Handlers[N]) => void): () => void {
    if (!NAMES.includes(name)) throw new TypeError(`on(): there is no event ${name}; known: ${NAMES.join(', ')}.`);
    return this.#listeners.add(name, handler);
  }

  /**
   * Follows these jobs from now on, at most 50, and no others. Opens a watch again that has ended, given up or was
   * closed, with a new `done`. An empty list closes it.
   */
  follow(jobIds: readonly string[]): void {
    const jobs = [...new Set(jobIds.map((id) => id.toLowerCase()))];
    if (jobs.length > MOST_JOBS)
      throw new TypeError(`follow(): ${jobs.length} jobs; one connection carries ${MOST_JOBS}.`);
    this.#run?.close();
    if (jobs.length === 0) {
      this.close();
      return;
    }
    if (this.#state === 'closed') this.#open();
    const story = new ManyStory(jobs, this.#story.seqs, {
      tell: (event) => this.#listeners.call(event.event, ...([event.data, event] as unknown as Handlers[EventName])),
      miss: (job) => this.#listeners.call('unavailable', job),
    });
    const settings = { ...this.#settings, url: this.#addressOf(jobs) };
    const run: Run = new Run(settings, story, (state) => run === this.#run && this.#to(state));
    this.#story = story;
    this.#run = run;
    // The run connects when those who opened the watch have had the time to listen.
    queueMicrotask(() => {
      if (this.#signal?.aborted) this.#onAbort();
      run.follow().then(
        () => this.#finish(run, null),
        (error: unknown) => this.#finish(run, error),
      );
    });
  }

  /** Stops watching; nothing is told any more. */
  close(): void {
    this.#finish(this.#run, closed());
  }

  #open(): void {
    this.#done = Promise.withResolvers();
    this.#done.promise.catch(() => undefined);
    this.#signal?.addEventListener('abort', this.#onAbort);
    this.#to('connecting');
  }

  /** That the server has nothing more to say is what the watch has waited for. */
  #finish(run: Run | null, error: unknown): void {
    if (run === null || run !== this.#run || this.#state === 'closed') return;
    run.close();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const isOver = error === null || (error instanceof WatchError && error.code === 'ended');
    if (isOver) this.#done.resolve();
    else this.#done.reject(error);
    this.#to('closed');
  }

  #to(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listeners.call('connection', state);
  }
}
