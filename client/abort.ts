/** A controller that also aborts with a signal that lives longer, and lets go of it. */
export class LinkedAbort extends AbortController {
  readonly #outer: AbortSignal;
  readonly #follow = () => this.abort(this.#outer.reason);

  constructor(outer: AbortSignal) {
    super();
    this.#outer = outer;
    outer.addEventListener('abort', this.#follow);
    if (outer.aborted) this.#follow();
  }

  /** Aborts too: nothing that hangs on it stays. */
  end(): void {
    this.#outer.removeEventListener('abort', this.#follow);
    this.abort();
  }
}
