/**
 * One run of a watch: connects, and connects again, until an event ends it or nothing is to be gained by going on.
 * What the server has sent once is not told again: an id at or below the last one is dropped. `status` always counts,
 * for it says where a fresh stream stands. An event or a heartbeat shows that the way to the server works, and resets
 * the count of attempts.
 */
import { LinkedAbort } from './abort.ts';
import { Attempts, attemptsMade, type Patience } from './attempts.ts';
import { onNetwork } from './connectivity.ts';
import { reasonOf, WatchError } from './errors.ts';
import { type EndEvent, isEnd, isEventName, type StreamEvent } from './events.ts';
import { eventId } from './options.ts';
import type { GetToken } from './requests.ts';
import { lost, type Outcome, type Transport } from './transport.ts';

export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'offline' | 'closed';

export interface RunSettings extends Patience {
  readonly url: string;
  readonly transport: Transport;
  readonly getToken: GetToken | null;
}

/** Who is told; nothing any more after `close()`. */
export interface Audience {
  onState(state: ConnectionState): void;
  onEvent(event: StreamEvent): void;
}

export class Run {
  readonly #settings: RunSettings;
  readonly #audience: Audience;
  readonly #abort = new AbortController();
  readonly #attempts: Attempts;
  #lastEventId: number | null;
  /** The server's `retry`, in ms. */
  #floorMs = 0;
  #end: EndEvent | null = null;

  constructor(settings: RunSettings, audience: Audience, lastEventId: number | null) {
    this.#settings = settings;
    this.#audience = audience;
    this.#attempts = new Attempts(settings, this.#abort.signal, (why) => this.#tell(why));
    this.#lastEventId = lastEventId;
  }

  get lastEventId(): number | null {
    return this.#lastEventId;
  }

  close(): void {
    this.#abort.abort();
  }

  /** The event that ended the run; null as long as none has come. */
  get end(): EndEvent | null {
    return this.#end;
  }

  /** Connects. Resolves when the run has ended; rejects with a WatchError when that will not be seen. */
  async follow(): Promise<void> {
    for (;;) {
      await this.#attempts.untilOnline();
      if (this.#abort.signal.aborted) throw closed();
      const outcome = await this.#connect();
      if (this.#end) return;
      if (this.#abort.signal.aborted) throw closed();
      switch (outcome.kind) {
        case 'over':
          throw new WatchError('ended', `Nothing comes after event ${this.#lastEventId}: the run is over.`);
        case 'refused':
          throw new WatchError('refused', `The server refuses the stream: ${outcome.error.message}`, outcome.error);
        case 'lost':
          if (!(await this.#attempts.pause(Math.max(this.#floorMs, outcome.retryAfterMs)))) {
            throw gaveUp(this.#settings.maxAttempts, outcome.cause);
          }
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  /** A token that has just run out is worth one more try. */
  async #connect(): Promise<Outcome> {
    const outcome = await this.#connectOnce();
    const isStale = outcome.kind === 'refused' && outcome.error.status === 401 && this.#settings.getToken !== null;
    return isStale && !this.#abort.signal.aborted ? this.#connectOnce() : outcome;
  }

  async #connectOnce(): Promise<Outcome> {
    const { url, transport, getToken } = this.#settings;
    const connection = new LinkedAbort(this.#abort.signal);
    const forgetNetwork = onNetwork('offline', () => connection.abort(new Error('The network is gone')));
    const isCurrent = () => !connection.signal.aborted;
    this.#tell('connecting');
    try {
      const token = (await getToken?.()) || null;
      if (!isCurrent()) return lost(connection.signal.reason);
      return await transport({
        url,
        token,
        lastEventId: this.#lastEventId,
        signal: connection.signal,
        onOpen: () => isCurrent() && this.#tell('open'),
        onComment: () => {
          this.#attempts.reset();
        },
        onRetry: (ms) => {
          this.#floorMs = ms;
        },
        onEvent: (name, data, id) => {
          if (isCurrent() && this.#take(name, data, id)) connection.abort();
        },
      });
    } catch (error) {
      return lost(error);
    } finally {
      forgetNetwork();
      connection.end();
    }
  }

  /** True when the event ends the run. Of an event that this client does not know only the id counts. */
  #take(name: string, data: string, givenId: string): boolean {
    const id = eventId(givenId);
    if (id === null || (name !== 'status' && id <= (this.#lastEventId ?? -1))) return false;
    const event = isEventName(name) ? ({ event: name, id, data: JSON.parse(data) } as StreamEvent) : null;
    this.#attempts.reset();
    this.#lastEventId = id;
    if (!event) return false;
    if (isEnd(event)) this.#end = event;
    this.#audience.onEvent(event);
    return this.#end !== null;
  }

  #tell(state: ConnectionState): void {
    if (!this.#abort.signal.aborted) this.#audience.onState(state);
  }
}

export const closed = (reason?: unknown): WatchError =>
  new WatchError('closed', 'The watch was closed before the run had ended.', reason);

function gaveUp(attempts: number, cause: unknown): WatchError {
  const text = `Gave up after ${attemptsMade(attempts)} to reconnect: ${reasonOf(cause)}. retry() tries again.`;
  return new WatchError('gave_up', text, cause);
}
