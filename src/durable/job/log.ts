/**
 * The log of one job in the object's SQLite: rows that are only ever added. The table is made with the first entry, so
 * that asking for an unknown job leaves nothing behind. `data` is kept as the JSON text that watchers get.
 */
import { Entry } from '../../contract/entries.ts';

export interface Row {
  seq: number;
  type: string;
  at: number;
  data: string;
}

/** A visible entry, with the stage that its data tells. */
export interface VisibleRow extends Row {
  stage: string;
}

export const parseRow = ({ seq, type, at, data }: Row): Entry => Entry.parse({ seq, type, at, data: JSON.parse(data) });

type SqlRow = Row & Record<string, SqlStorageValue>;

export class Log {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  append(entries: readonly Entry[]): void {
    this.#sql.exec('CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, type TEXT, at INTEGER, data TEXT)');
    for (const { seq, type, at, data } of entries) {
      this.#sql.exec('INSERT INTO log VALUES (?, ?, ?, ?)', seq, type, at, JSON.stringify(data));
    }
  }

  *all(): Generator<Entry> {
    const [exists] = this.#sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'log'`).toArray();
    if (!exists) return;
    for (const row of this.#sql.exec<SqlRow>('SELECT * FROM log ORDER BY seq')) yield parseRow(row);
  }

  /** Visible entries with `seq > after`, oldest first. */
  visibleAfter(after: number, limit: number): VisibleRow[] {
    const visible = `SELECT *, data ->> 'stage' AS stage FROM log WHERE seq > ? AND type NOT LIKE '\\_%' ESCAPE '\\' ORDER BY seq LIMIT ?`;
    return this.#sql.exec<VisibleRow & SqlRow>(visible, after, limit).toArray();
  }
}
