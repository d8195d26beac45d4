/**
 * The log of one job in the object's SQLite: rows that are only ever added. The table is made with the first entry, so
 * that asking for an unknown job leaves nothing behind. `data` is kept as the JSON text that watchers get.
 */
import { Entry, isVisible, type VisibleEntry } from '../../contract/entries.ts';

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

function readRow(row: Row): Entry | null {
  try {
    return parseRow(row);
  } catch {
    return null;
  }
}

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

  /** Every entry that can be read, in order; `last` is the number of the last row, readable or not. */
  load(): { entries: Entry[]; isWhole: boolean; last: number } {
    const [exists] = this.#sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'log'`).toArray();
    const entries: Entry[] = [];
    let last = 0;
    for (const row of exists ? this.#sql.exec<SqlRow>('SELECT * FROM log ORDER BY seq') : []) {
      last = row.seq;
      const entry = readRow(row);
      if (entry) entries.push(entry);
    }
    return { entries, isWhole: entries.length === last, last };
  }

  /** All entries with `seq > after`, oldest first. */
  after(after: number, limit: number): Row[] {
    return this.#sql.exec<SqlRow>('SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?', after, limit).toArray();
  }

  /** Visible entries with `seq > after`, oldest first. */
  visibleAfter(after: number, limit: number): VisibleRow[] {
    const visible = `SELECT *, data ->> 'stage' AS stage FROM log WHERE seq > ? AND type NOT LIKE '\\_%' ESCAPE '\\' ORDER BY seq LIMIT ?`;
    return this.#sql.exec<VisibleRow & SqlRow>(visible, after, limit).toArray();
  }

  /** The same as entries, without those that cannot be read; `through` is the last one looked at. */
  page(after: number, limit: number): { entries: VisibleEntry[]; through: number; isLast: boolean } {
    const rows = this.visibleAfter(after, limit);
    const entries = rows.map(readRow).filter((entry) => entry !== null && isVisible(entry));
    return { entries, through: rows.at(-1)?.seq ?? after, isLast: rows.length < limit };
  }

  /** Whether no `playable` comes before this entry in its run. */
  opensPlayback(seq: number): boolean {
    const before = `SELECT type FROM log WHERE seq < ? AND (type = 'playable'
      OR (type = 'state' AND data ->> '$.details.state' = 'retried')) ORDER BY seq DESC LIMIT 1`;
    const [last] = this.#sql.exec<{ type: string }>(before, seq).toArray();
    return last?.type !== 'playable';
  }
}
