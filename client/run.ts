/**
 * One run of a watch: connects, and connects again, until its story ends or nothing is to be gained by going on. An
 * event or a heartbeat shows that the way to the server works, and resets the count of attempts.
 */
import { LinkedAbort } from './abort.ts';
import { Attempts, attemptsMade, type Patience } from './attempts.ts';
import { onNetwork } from './connectivity.ts';
import { reasonOf, WatchError } from './errors.ts';
import type { GetToken } from './requests.ts';
import type { Story } from './story.ts';
import { lost, type Outcome, type Transport } from './transport.ts';

export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'offline' | 'closed';

export interface RunSettings extends Patience {
  readonly url: string;
  readonly transport: Transport;
  readonly getToken: GetToken | null;
}

export class Run {
  readonly #settings: RunSettings;
  readonly #story: Story;
  readonly #onState: (state: ConnectionState) => void;
  readonly #abort = new AbortController();
  readonly #attempts: Attempts;
  /** The server's `retry`, in ms. */
  #floorMs = 0;
  #hasEnded = false;

  /** `onState` is told nothing any more after `close()`. */
  constructor(settings: RunSettings, story: Story, onState: (state: ConnectionState) => void) {
    this.#settings = settings;
    this.#story = story;
    this.#onState = onState;
    this.#attempts = new Attempts(settings, this.#abort.signal, (why) => this.#tell(why));
  }

  close(): void {
    this.#abort.abort();
  }

  /** Connects. Resolves when the run has ended; rejects with a WatchError when that will not be seen. */
  async follow(): Promise<void> {
    for (;;) {
      await this.#attempts.untilOnline();
      if (this.#abort.signal.aborted) throw closed();
      const outcome = await this.#connect();
      if (this.#hasEnded) return;
      if (this.#abort.signal.aborted) throw closed();
      switch (outcome.kind) {
        case 'over':
          throw new WatchError('ended', `Nothing comes after event ${this.#story.resumesAt}: the run is over.`);
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
        lastEventId: this.#story.resumesAt,
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

  /** True when the event ends the story. */
  #take(name: string, data: string, id: string): boolean {
    const taken = this.#story.take(name, data, id);
    if (taken !== 'ignored') this.#attempts.reset();
    this.#hasEnded ||= taken === 'ended';
    return taken === 'ended';
  }

  #tell(state: ConnectionState): void {
    if (!this.#abort.signal.aborted) this.#onState(state);
  }
}

export const closed = (reason?: unknown): WatchError =>
  new WatchError('closed', 'The watch was closed before the run had ended.', reason);

function gaveUp(attempts: number, cause: unknown): WatchError {
  const text = `Gave up after ${attemptsMade(attempts)} to reconnect: ${reasonOf(cause)}. retry() tries again.`;
  return new WatchError('gave_up', text, cause);
}
