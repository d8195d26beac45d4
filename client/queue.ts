/** An iterator's share of a watch: keeps what comes until it is asked for; who stops asking leaves. */
export class Queue<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = [];
  readonly #waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = [];
  readonly #leave: () => void;
  #end: { readonly error: unknown } | null = null;

  /** `leave` is called when its reader has had enough. */
  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(value: T): void {
    if (this.#end) return;
    const reader = this.#waiting.shift();
    if (reader) reader.resolve({ done: false, value });
    else this.#items.push(value);
  }

  /** Nothing more comes; `error` is for the reader who gets there, null for none. */
  end(error: unknown): void {
    if (this.#end) return;
    this.#end = { error };
    const [first, ...others] = this.#waiting.splice(0);
    if (first && error !== null) first.reject(this.#takeError());
    else first?.resolve(DONE);
    for (const reader of others) reader.resolve(DONE);
  }

  next(): Promise<IteratorResult<T>> {
    const [value] = this.#items;
    if (value !== undefined) {
      this.#items.shift();
      return Promise.resolve({ done: false, value });
    }
    if (!this.#end) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    return this.#end.error === null ? Promise.resolve(DONE) : Promise.reject(this.#takeError());
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.end(null);
    this.#leave();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** An iterator throws once, then it is done. */
  #takeError(): unknown {
    const error = this.#end?.error;
    this.#end = { error: null };
    return error;
  }
}

const DONE = { done: true, value: undefined } as const;
