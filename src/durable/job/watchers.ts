/**
 * The watchers of one job. A watcher is a cursor over the log: when it can take more, it is handed what lies behind its
 * cursor. History and live entries come out of the same read in one turn, so there is no seam to lose or repeat an
 * entry at, and a slow watcher delays nobody: it is passed over, and offered more a little later.
 *
 * The first entry after a quiet moment leaves at once; those that follow within a window, which grows with the number
 * of watchers, leave together (docs/decisions/0007).
 *
 * Whatever ends a watcher goes through `#drop`, once: the run is over, the client is gone, or it was behind for too
 * long. A client that went away is noticed only by writing to it, which is what the heartbeat is for. One timer serves
 * windows, heartbeats and those who are behind, and none runs without watchers.
 */
import type { Chunks } from './chunks.ts';
import { HEARTBEAT } from './sse.ts';

export const HEARTBEAT_MS = 15_000;

/** A watcher that has not caught up for so long is closed; it may resume. */
export const PATIENCE_MS = 30_000;

/** How soon a watcher that is behind is offered more. Asking by `pull` instead costs every watcher 5 µs an entry. */
const BEHIND_MS = 20;

/** A stream takes more when less than this waits in it; with a chunk on top, at most 64 KiB do. */
const WAITING_BYTES = 32 * 1024;

/** So much of a window for each watcher: about what it costs to write to one. */
const WINDOW_MS_PER_WATCHER = 0.04;
const LONGEST_WINDOW_MS = 40;

interface Watcher {
  cursor: number;
  readonly stream: ReadableStreamDefaultController<Uint8Array>;
  wroteAt: number;
  /** Since when there is more in the log than it can take; null when it has caught up. */
  behindSince: number | null;
}

/** Why a watcher left before the end: its client went away, or it was closed. */
type Reason = 'gone' | 'behind';

const encoder = new TextEncoder();
const HEARTBEAT_BYTES = encoder.encode(HEARTBEAT);

export class Watchers {
  readonly #open = new Set<Watcher>();
  readonly #chunks: Chunks;
  #timer: { readonly at: number; readonly handle: ReturnType<typeof setTimeout> } | null = null;
  /** The newest entry of the last flush, or that was there when somebody joined: whose cursor lies before it is behind. */
  #front = 0;
  #flushedAt = 0;
  /** When what is new in the log has to leave; null when all of it has. */
  #flushAt: number | null = null;
  /** Since the last line in the log about it: thousands may leave at once. */
  #left: Record<Reason, number> = { gone: 0, behind: 0 };

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether a timer runs. */
  get isTicking(): boolean {
    return this.#timer !== null;
  }

  /** A stream that begins with `head` and goes on with every visible entry after `cursor`; `end` is the last one now. */
  join(head: string, cursor: number, end: number, signal: AbortSignal): ReadableStream<Uint8Array> {
    this.#front = Math.max(this.#front, end);
    let watcher: Watcher | undefined;
    const readable = new ReadableStream<Uint8Array>(
      {
        start: (stream) => {
          watcher = { cursor, stream, wroteAt: Date.now(), behindSince: null };
          this.#open.add(watcher);
          stream.enqueue(encoder.encode(head));
          this.#feed(watcher);
        },
        cancel: () => {
          if (watcher) this.#drop(watcher, 'gone');
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: WAITING_BYTES }),
    );
    signal.addEventListener('abort', () => watcher && this.#drop(watcher, 'gone'), { once: true });
    this.#tickAt(Date.now() + HEARTBEAT_MS);
    return readable;
  }

  /** There is something new in the log. */
  wake(): void {
    if (this.#open.size === 0 || this.#flushAt !== null) return;
    const window = Math.min(this.#open.size * WINDOW_MS_PER_WATCHER, LONGEST_WINDOW_MS);
    this.#flushAt = this.#flushedAt + window;
    if (Date.now() >= this.#flushAt) this.#flush();
    else this.#tickAt(this.#flushAt);
  }

  #flush(): void {
    this.#flushAt = null;
    this.#flushedAt = Date.now();
    let newest = this.#front;
    for (const watcher of this.#open) {
      this.#feed(watcher);
      newest = Math.max(newest, watcher.cursor);
    }
    this.#front = newest;
  }

  /** Hands over what the watcher can take; if there is more, it is looked at again soon. */
  #feed(watcher: Watcher): void {
    while (this.#open.has(watcher)) {
      const chunk = this.#chunks.after(watcher.cursor, watcher.cursor < this.#front);
      if (!chunk) {
        watcher.behindSince = null;
        return;
      }
      if ((watcher.stream.desiredSize ?? 0) <= 0) {
        watcher.behindSince ??= Date.now();
        this.#tickAt(Date.now() + BEHIND_MS);
        return;
      }
      watcher.cursor = chunk.upTo;
      this.#write(watcher, chunk.bytes);
      if (chunk.isLast) this.#end(watcher);
    }
  }

  #write(watcher: Watcher, bytes: Uint8Array): void {
    watcher.wroteAt = Date.now();
    watcher.stream.enqueue(bytes);
  }

  #end(watcher: Watcher): void {
    this.#open.delete(watcher);
    watcher.stream.close();
    this.#rest();
  }

  /** The client is gone, or must come again. */
  #drop(watcher: Watcher, reason: Reason): void {
    if (!this.#open.delete(watcher)) return;
    this.#left[reason] += 1;
    watcher.stream.close();
    this.#rest();
  }

  /** No timer runs when nobody watches. */
  #rest(): void {
    if (this.#open.size > 0) return;
    this.#tellLeft();
    this.#flushAt = null;
    if (this.#timer) clearTimeout(this.#timer.handle);
    this.#timer = null;
  }

  #tellLeft(): void {
    if (this.#left.gone + this.#left.behind === 0) return;
    console.log(JSON.stringify({ msg: 'watchers left', ...this.#left, stay: this.#open.size }));
    this.#left = { gone: 0, behind: 0 };
  }

  #tickAt(at: number): void {
    if (this.#open.size === 0 || (this.#timer && this.#timer.at <= at)) return;
    if (this.#timer) clearTimeout(this.#timer.handle);
    this.#timer = { at, handle: setTimeout(() => this.#tick(), Math.max(0, at - Date.now())) };
  }

  #tick(): void {
    this.#timer = null;
    this.#tellLeft();
    if (this.#flushAt !== null && Date.now() >= this.#flushAt) this.#flush();
    const now = Date.now();
    let next = this.#flushAt ?? Number.POSITIVE_INFINITY;
    for (const watcher of this.#open) next = Math.min(next, this.#lookAfter(watcher, now));
    if (Number.isFinite(next)) this.#tickAt(next);
  }

  /** When to look again. */
  #lookAfter(watcher: Watcher, now: number): number {
    if (watcher.behindSince !== null) this.#feed(watcher);
    if (watcher.behindSince !== null) {
      if (now - watcher.behindSince >= PATIENCE_MS) this.#drop(watcher, 'behind');
      return now + BEHIND_MS;
    }
    if (now - watcher.wroteAt >= HEARTBEAT_MS) this.#write(watcher, HEARTBEAT_BYTES);
    return watcher.wroteAt + HEARTBEAT_MS;
  }
}
