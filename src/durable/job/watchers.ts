/**
 * The watchers of one job. A watcher is a cursor over the log: a loop reads what lies behind the cursor, writes it,
 * and only then reads on. History and live entries come out of the same read, so there is no seam to lose or repeat
 * an entry at. Reading and deciding to rest happen in one turn, so `wake` is never missed.
 *
 * Each watcher has one owner, its loop: only it and the heartbeat write, and whatever ends the watcher (the run is
 * over, the client is gone, a write failed) goes through `#drop`, once. A client that went away is only noticed by
 * writing to it, which is what the heartbeat is for; one timer serves all watchers and none runs without them.
 */
import { endsRun } from '../../contract/entries.ts';
import type { Row } from './log.ts';
import { entryText, HEARTBEAT } from './sse.ts';

export const HEARTBEAT_MS = 15_000;

/** Entries per read, so that a long replay does not lie in memory as a whole. */
const READ_LIMIT = 100;

interface Watcher {
  cursor: number;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  /** A write is under way, and the loop reads on after it. */
  busy: boolean;
  wroteAt: number;
}

/** Entries as they are written; `isLast`: the run ends with them. */
interface Chunk {
  after: number;
  upTo: number;
  logEnd: number;
  bytes: Uint8Array;
  isLast: boolean;
}

const encoder = new TextEncoder();

export class Watchers {
  readonly #open = new Set<Watcher>();
  readonly #read: (after: number, limit: number) => Row[];
  readonly #lastSeq: () => number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #latest: Chunk | null = null;

  /** `read` gives visible entries after a seq, `lastSeq` the seq of the log's last entry. */
  constructor(read: (after: number, limit: number) => Row[], lastSeq: () => number) {
    this.#read = read;
    this.#lastSeq = lastSeq;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A stream that begins with `head` and goes on with every visible entry after `cursor`. */
  join(head: string, cursor: number, signal: AbortSignal): ReadableStream<Uint8Array> {
    const { readable, writable } = new IdentityTransformStream();
    const watcher: Watcher = { cursor, writer: writable.getWriter(), busy: false, wroteAt: Date.now() };
    this.#open.add(watcher);
    signal.addEventListener('abort', () => this.#drop(watcher), { once: true });
    this.#start(watcher, head);
    this.#schedule();
    return readable;
  }

  /** There is something new in the log. */
  wake(): void {
    for (const watcher of this.#open) if (!watcher.busy) this.#start(watcher, '');
  }

  #start(watcher: Watcher, head: string): void {
    watcher.busy = true;
    this.#follow(watcher, head).catch((error: unknown) => {
      console.error(JSON.stringify({ msg: 'a watcher failed', error: String(error) }));
      this.#drop(watcher);
    });
  }

  async #follow(watcher: Watcher, head: string): Promise<void> {
    if (head !== '' && !(await this.#write(watcher, encoder.encode(head), false))) return;
    for (;;) {
      const chunk = this.#chunkAfter(watcher.cursor);
      if (!chunk) break;
      watcher.cursor = chunk.upTo;
      if (!(await this.#write(watcher, chunk.bytes, chunk.isLast))) return;
    }
    watcher.busy = false;
  }

  /** What lies behind a cursor, encoded once for all who stand there; null if nothing does. */
  #chunkAfter(cursor: number): Chunk | null {
    const logEnd = this.#lastSeq();
    if (this.#latest?.after === cursor && this.#latest.logEnd === logEnd) return this.#latest;
    const rows = this.#read(cursor, READ_LIMIT);
    const last = rows.at(-1);
    if (!last) return null;
    const bytes = encoder.encode(rows.map(entryText).join(''));
    this.#latest = { after: cursor, upTo: last.seq, logEnd, bytes, isLast: endsRun(last) && last.seq === logEnd };
    return this.#latest;
  }

  /** Returns false when the watcher has ended: with the run, or because its client is gone. */
  async #write(watcher: Watcher, bytes: Uint8Array, isLast: boolean): Promise<boolean> {
    watcher.wroteAt = Date.now();
    try {
      await watcher.writer.write(bytes);
      if (isLast) await watcher.writer.close();
    } catch {
      this.#drop(watcher);
      return false;
    }
    if (isLast) this.#open.delete(watcher);
    return !isLast;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#open.size === 0) return;
    const oldest = Math.min(...Array.from(this.#open, ({ wroteAt }) => wroteAt));
    const wait = Math.max(0, oldest + HEARTBEAT_MS - Date.now());
    this.#timer = setTimeout(() => this.#beat(), wait);
  }

  #beat(): void {
    this.#timer = null;
    const due = Date.now() - HEARTBEAT_MS;
    for (const watcher of this.#open) {
      if (watcher.wroteAt > due) continue;
      if (!watcher.busy) this.#start(watcher, HEARTBEAT);
      watcher.wroteAt = Date.now();
    }
    this.#schedule();
  }

  /** The client is gone; aborting a writer twice, or one that failed, has no effect. */
  #drop(watcher: Watcher): void {
    if (!this.#open.delete(watcher)) return;
    watcher.writer.abort().catch((reason: unknown) => console.log(`watcher had ended: ${String(reason)}`));
  }
}
