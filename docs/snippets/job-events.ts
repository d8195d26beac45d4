type Handler = (data: Record<string, unknown>, id: number) => void;

const EVENTS = ['status', 'state', 'stage', 'progress', 'rendition', 'playable', 'warning'];
const LAST = ['complete', 'error', 'cancelled'];
const ATTEMPTS = 5;

/**
 * Handlers by event, reconnects of its own after 1, 2, 4, 8 and 16 s, and `close()`. `reconnecting` and `lost` are about
 * the connection; `error` only ever is the job's.
 */
export class JobEvents {
  readonly #url: string;
  readonly #firstDelayMs: number;
  readonly #handlers = new Map<string, Handler[]>();
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #lastId = '';

  constructor(edge: string, job: string, firstDelayMs = 1000) {
    this.#url = `${edge}/jobs/${job}/stream`;
    this.#firstDelayMs = firstDelayMs;
    this.#connect();
  }

  on(name: string, handler: Handler): this {
    this.#handlers.set(name, [...(this.#handlers.get(name) ?? []), handler]);
    return this;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #connect(): void {
    const source = new EventSource(this.#lastId ? `${this.#url}?last_event_id=${this.#lastId}` : this.#url);
    this.#source = source;
    for (const name of [...EVENTS, ...LAST]) {
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent) this.#hear(name, event);
        else this.#reconnect();
      });
    }
  }

  #hear(name: string, { data, lastEventId }: MessageEvent<string>): void {
    this.#attempts = 0;
    this.#lastId = lastEventId;
    if (LAST.includes(name)) this.close();
    this.#tell(name, JSON.parse(data));
  }

  #reconnect(): void {
    this.#source?.close();
    if (this.#attempts === ATTEMPTS) {
      this.#tell('lost', { attempts: ATTEMPTS });
      return;
    }
    const delay = this.#firstDelayMs * 2 ** this.#attempts;
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#tell('reconnecting', { attempt: this.#attempts, delay });
  }

  #tell(name: string, data: Record<string, unknown>): void {
    for (const handler of this.#handlers.get(name) ?? []) handler(data, Number(this.#lastId));
  }
}
