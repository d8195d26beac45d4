/** Calls back when nothing has happened for so long, once. */
export class Silence {
  readonly #ms: number;
  readonly #tooLong: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins at once; `ms` in milliseconds. */
  constructor(ms: number, tooLong: () => void) {
    this.#ms = ms;
    this.#tooLong = tooLong;
    this.begin();
  }

  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#tooLong, this.#ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
