/**
 * One upload in the object's SQLite: a row that describes it, the parts that R2 has, and the bytes behind the last of
 * them, in rows of at most 1 MiB. The offset is stored nowhere: it is the sum of what is there, so it can neither claim
 * a byte that is missing nor forget one that is not. The tables come with the first word: asking leaves nothing behind.
 */
import { z } from 'zod';
import { PART_BYTES, StoredUpload } from './stored.ts';

const ROW_BYTES = 2 ** 20;

/** A last row up to this size is written anew with the bytes that follow it: pieces may be tiny. */
const SMALL_BYTES = 64 * 1024;

const TABLES = `
  CREATE TABLE IF NOT EXISTS upload (id INTEGER PRIMARY KEY CHECK (id = 1), data TEXT);
  CREATE TABLE IF NOT EXISTS parts (n INTEGER PRIMARY KEY, etag TEXT, size INTEGER);
  CREATE TABLE IF NOT EXISTS tail (n INTEGER PRIMARY KEY, bytes BLOB)`;

const SUMS = `SELECT (SELECT count(*) FROM parts) AS parts, (SELECT total(size) FROM parts) AS stored,
  (SELECT total(length(bytes)) FROM tail) AS tail`;

const Sums = z.object({ parts: z.int(), stored: z.int(), tail: z.int() });
const Part = z.object({ partNumber: z.int(), etag: z.string(), size: z.int() });
const TailRow = z.object({ n: z.int(), bytes: z.instanceof(ArrayBuffer) });

export class UploadStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Null for an id that is no upload's, or was forgotten. */
  load(): StoredUpload | null {
    const [exists] = this.#rows(`SELECT 1 FROM sqlite_master WHERE name = 'upload'`);
    const [row] = exists ? this.#rows('SELECT data FROM upload') : [];
    return row ? StoredUpload.parse(JSON.parse(z.string().parse(row.data))) : null;
  }

  save(upload: StoredUpload): void {
    this.#storage.sql.exec(TABLES);
    const data = JSON.stringify(StoredUpload.parse(upload));
    this.#storage.sql.exec('INSERT OR REPLACE INTO upload VALUES (1, ?)', data);
  }

  /** How many bytes are here, counted from the first. */
  get offset(): number {
    const { stored, tail } = this.#sums();
    return stored + tail;
  }

  get nextPart(): number {
    return this.#sums().parts + 1;
  }

  parts(): z.infer<typeof Part>[] {
    return z.array(Part).parse(this.#rows('SELECT n AS partNumber, etag, size FROM parts ORDER BY n'));
  }

  /** R2 has this part. What was kept of its bytes is not needed any more. */
  addPart({ partNumber, etag }: R2UploadedPart, size: number): void {
    this.#storage.sql.exec('INSERT OR REPLACE INTO parts VALUES (?, ?, ?)', partNumber, etag, size);
    this.#storage.sql.exec('DELETE FROM tail');
  }

  /** Copies what lies behind the last part to the beginning of `target`; returns how many bytes that are. */
  readTail(target: Uint8Array): number {
    let filled = 0;
    for (const row of this.#storage.sql.exec('SELECT * FROM tail ORDER BY n')) {
      const bytes = new Uint8Array(TailRow.parse(row).bytes);
      target.set(bytes, filled);
      filled += bytes.length;
    }
    return filled;
  }

  appendTail(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#sums().tail + bytes.length > PART_BYTES) throw new Error('The bytes behind the last part exceed a part');
    const [row] = this.#rows('SELECT * FROM tail WHERE n = (SELECT max(n) FROM tail)');
    const last = row && TailRow.parse(row);
    let n = last ? last.n + 1 : 1;
    let rest = bytes;
    if (last && last.bytes.byteLength + bytes.length <= SMALL_BYTES) {
      n = last.n;
      rest = joined(new Uint8Array(last.bytes), bytes);
    }
    for (; rest.length > 0; rest = rest.subarray(ROW_BYTES), n++) {
      const piece = rest.slice(0, ROW_BYTES).buffer as ArrayBuffer;
      this.#storage.sql.exec('INSERT OR REPLACE INTO tail VALUES (?, ?)', n, piece);
    }
  }

  /** Forgets the bytes, but not what they were for. */
  clearBytes(): void {
    this.#storage.sql.exec('DELETE FROM parts');
    this.#storage.sql.exec('DELETE FROM tail');
  }

  transaction(work: () => void): void {
    this.#storage.transactionSync(work);
  }

  #sums(): z.infer<typeof Sums> {
    return Sums.parse(this.#storage.sql.exec(SUMS).one());
  }

  #rows(query: string): Record<string, SqlStorageValue>[] {
    return this.#storage.sql.exec(query).toArray();
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
