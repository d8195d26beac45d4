/**
 * What lies behind a cursor in the log, encoded once for everybody who stands there. A chunk is small, so that a long
 * replay never lies in memory as a whole.
 *
 * Who is behind need not hear every `progress`: one that a newer one of the same stage and attempt supersedes is left
 * out. An attempt begins and ends with a `state` entry, so between two of them a stage has one row of progress.
 */
import { endsRun } from '../../contract/entries.ts';
import type { VisibleRow } from './log.ts';
import { entryText } from './sse.ts';

/** Entries as they are written. */
export interface Chunk {
  /** The seq of its last entry. */
  readonly upTo: number;
  readonly bytes: Uint8Array;
  /** The run ends with it. */
  readonly isLast: boolean;
}

const MOST_ROWS = 100;
const MOST_CHARACTERS = 16 * 1024;

const encoder = new TextEncoder();

export class Chunks {
  readonly #read: (after: number, limit: number) => VisibleRow[];
  readonly #lastSeq: () => number;
  readonly #made = new Map<string, Chunk | null>();
  #madeAt = 0;

  /** `read` gives visible entries after a seq, `lastSeq` the seq of the last of all visible ones. */
  constructor(read: (after: number, limit: number) => VisibleRow[], lastSeq: () => number) {
    this.#read = read;
    this.#lastSeq = lastSeq;
  }

  /** Null when nothing lies behind the cursor. `isBehind`: without what is superseded. */
  after(cursor: number, isBehind: boolean): Chunk | null {
    if (this.#madeAt !== this.#lastSeq()) this.#made.clear();
    this.#madeAt = this.#lastSeq();
    const key = `${cursor} ${isBehind}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const chunk = this.#make(cursor, isBehind);
    this.#made.set(key, chunk);
    return chunk;
  }

  #make(cursor: number, isBehind: boolean): Chunk | null {
    const rows = this.#read(cursor, MOST_ROWS);
    const texts: string[] = [];
    let upTo = cursor;
    let size = 0;
    let last: VisibleRow | undefined;
    for (const row of isBehind ? withoutSuperseded(rows) : rows) {
      const text = entryText(row);
      if (size > 0 && size + text.length > MOST_CHARACTERS) break;
      texts.push(text);
      size += text.length;
      upTo = row.seq;
      last = row;
    }
    if (!last) return null;
    return { upTo, bytes: encoder.encode(texts.join('')), isLast: endsRun(last) && upTo === this.#lastSeq() };
  }
}

function withoutSuperseded(rows: VisibleRow[]): VisibleRow[] {
  let newer: string | null = null;
  const kept: VisibleRow[] = [];
  for (const row of rows.toReversed()) {
    if (row.type === 'state') newer = null;
    if (row.type === 'progress') {
      if (row.stage === newer) continue;
      newer = row.stage;
    }
    kept.push(row);
  }
  return kept.reverse();
}
