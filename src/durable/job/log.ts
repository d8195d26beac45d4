/**
 * The log of one job in the object's SQLite: rows that are only ever added. The tables are made with the first entry,
 * so that asking for an unknown job leaves nothing behind.
 */
import { Entry } from '../../contract/entries.ts';

interface Row extends Record<string, SqlStorageValue> {
  seq: number;
  type: string;
  at: number;
  data: string;
}

const entry = ({ seq, type, at, data }: Row): Entry => Entry.parse({ seq, type, at, data: JSON.parse(data) });

export class Log {
  readonly #sql: SqlStorage;
  #exists: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'log'`).toArray().length > 0;
  }

  get exists(): boolean {
    return this.#exists;
  }

  append(entries: readonly Entry[]): void {
    if (!this.#exists) this.#sql.exec('CREATE TABLE log (seq INTEGER PRIMARY KEY, type TEXT, at INTEGER, data TEXT)');
    this.#exists = true;
    for (const { seq, type, at, data } of entries) {
      this.#sql.exec('INSERT INTO log VALUES (?, ?, ?, ?)', seq, type, at, JSON.stringify(data));
    }
  }

  *all(): Generator<Entry> {
    if (!this.#exists) return;
    for (const row of this.#sql.exec<Row>('SELECT * FROM log ORDER BY seq')) yield entry(row);
  }

  /** Entries with `seq > after`, oldest first. */
  after(after: number, limit: number): Entry[] {
    return this.#sql
      .exec<Row>('SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?', after, limit)
      .toArray()
      .map(entry);
  }

  /** The same without internal entries. */
  visibleAfter(after: number, limit: number): Entry[] {
    return this.#sql
      .exec<Row>(
        `SELECT * FROM log WHERE seq > ? AND type NOT LIKE '\\_%' ESCAPE '\\' ORDER BY seq LIMIT ?`,
        after,
        limit,
      )
      .toArray()
      .map(entry);
  }
}
