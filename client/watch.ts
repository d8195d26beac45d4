/**
 * A job being watched. Handlers and iterators are told what the present run brings; when the run ends, or the watch
 * gives up, `done` settles and the iterators end. `retry()` begins another run where this one stopped, with a new `done`.
 */
import { WatchError } from './errors.ts';
import { type EndEvent, EVENT_NAMES, type EventData, type EventName, isEnd, type StreamEvent } from './events.ts';
import { Listeners } from './listeners.ts';
import { checkWatchOptions, eventId, type WatchOptions } from './options.ts';
import { Queue } from './queue.ts';
import { type ConnectionState, closed, Run, type RunSettings } from './run.ts';
import { JobStory } from './story.ts';

type Handlers = { [N in EventName]: [data: EventData[N], event: StreamEvent<N>] } & { connection: [ConnectionState] };

export class Watch implements AsyncIterable<StreamEvent> {
  readonly #settings: RunSettings;
  readonly #signal: AbortSignal | null;
  readonly #listeners = new Listeners<Handlers>();
  readonly #queues = new Set<Queue<StreamEvent>>();
  readonly #onAbort = () => this.#close(this.#signal?.reason);
  #state: ConnectionState = 'connecting';
  #run: Run;
  #story: JobStory;
  #done = Promise.withResolvers<EndEvent>();

  constructor(settings: RunSettings, options: WatchOptions) {
    checkWatchOptions(options);
    this.#settings = { ...settings, maxAttempts: options.maxAttempts ?? settings.maxAttempts };
    this.#signal = options.signal ?? null;
    [this.#run, this.#story] = this.#begin(eventId(options.lastEventId));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The number of the last event seen; null before the first. */
  get lastEventId(): number | null {
    return this.#story.lastEventId;
  }

  /** The event that ends the run. Rejects with a WatchError when the watch ends before it. */
  get done(): Promise<EndEvent> {
    return this.#done.promise;
  }

  /** Calls the handler for every event of this name, or every change of the connection. Returns what stops it. */
  on(name: 'connection', handler: (state: ConnectionState) => void): () => void;
  on<N extends EventName>(name: N, handler: (data: EventData[N], event: StreamEvent<N>) => void): () => void;
  on<N extends keyof Handlers>(name: N, handler: (...args: Handlers[N]) => void): () => void {
    if (name !== 'connection' && !EVENT_NAMES.includes(name)) {
      throw new TypeError(`on(): there is no event ${name}; known: connection, ${EVENT_NAMES.join(', ')}.`);
    }
    return this.#listeners.add(name, handler);
  }

  /** Every event from now to the end of the run. Throws the WatchError when the watch gives up; `close()` just ends it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<StreamEvent> {
    const queue = new Queue<StreamEvent>(() => this.#queues.delete(queue));
    if (this.#state === 'closed') queue.end(null);
    else this.#queues.add(queue);
    return queue;
  }

  /** Stops watching; nothing is told any more. */
  close(): void {
    this.#close(undefined);
  }

  /** Opens a watch again that has ended, given up or was closed; does nothing while it is at work. */
  retry(): void {
    if (this.#state !== 'closed') return;
    this.#done = Promise.withResolvers();
    this.#to('connecting');
    [this.#run, this.#story] = this.#begin(this.#story.lastEventId);
  }

  /** The run connects when those who opened the watch have had the time to listen. */
  #begin(lastEventId: number | null): [Run, JobStory] {
    const story = new JobStory(lastEventId, (event) => this.#tell(run, event));
    const run: Run = new Run(this.#settings, story, (state) => run === this.#run && this.#to(state));
    // Who does not wait for the end need not handle how it comes.
    this.#done.promise.catch(() => undefined);
    this.#signal?.addEventListener('abort', this.#onAbort);
    queueMicrotask(() => {
      if (this.#signal?.aborted) this.#onAbort();
      run.follow().catch((error: unknown) => this.#finish(run, error));
    });
    return [run, story];
  }

  #tell(run: Run, event: StreamEvent): void {
    for (const queue of this.#queues) queue.push(event);
    this.#listeners.call(event.event, ...([event.data, event] as unknown as Handlers[EventName]));
    if (isEnd(event)) this.#finish(run, null);
  }

  #close(reason: unknown): void {
    this.#run.close();
    this.#finish(this.#run, closed(reason));
  }

  /** A run that has ended is a success, even if a handler has closed the watch since. */
  #finish(run: Run, error: unknown): void {
    if (run !== this.#run || this.#state === 'closed') return;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#story.end) this.#done.resolve(this.#story.end);
    else this.#done.reject(error);
    const isFailure = error instanceof WatchError && error.code !== 'closed' && error.code !== 'ended';
    for (const queue of this.#queues) queue.end(isFailure ? error : null);
    this.#queues.clear();
    this.#to('closed');
  }

  #to(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listeners.call('connection', state);
  }
}
