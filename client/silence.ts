/** A controller that aborts with a signal that lives longer, and when nothing has happened for so long. */
import { LinkedAbort } from './abort.ts';

export class Silence extends LinkedAbort {
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins at once; `ms` in milliseconds. */
  constructor(outer: AbortSignal, ms: number) {
    super(outer);
    this.#ms = ms;
    this.begin();
  }

  /** Something has happened. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.abort(new Error(`Nothing moved for ${this.#ms / 1000} s`)), this.#ms);
  }

  override end(): void {
    clearTimeout(this.#timer);
    super.end();
  }
}
