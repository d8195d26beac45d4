/**
 * Notices that a tool stands still: `signal` aborts with a `stalled` failure when `advance` was not called for a
 * while. `others` are kept awake too: who runs at a lower priority beside us may have to wait for us.
 */
import { TaskFailure } from '../errors.ts';

export class Watchdog {
  readonly #stalled = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #others: readonly Watchdog[];

  constructor(ms: number, ...others: Watchdog[]) {
    this.#others = others;
    this.#timer = setTimeout(() => {
      this.#stalled.abort(new TaskFailure('stalled', 'The encoder stood still and was stopped.'));
    }, ms);
  }

  get signal(): AbortSignal {
    return this.#stalled.signal;
  }

  advance(): void {
    if (!this.signal.aborted) this.#timer.refresh();
    for (const other of this.#others) other.advance();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
