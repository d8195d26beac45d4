/**
 * The timers of one job: rows of one table, the earliest of which is the object's alarm. Rows are written in the
 * transaction of the entries they belong to; `arm` follows it without an await, so the alarm goes to disk with them.
 */
import { z } from 'zod';

const Lease = z.object({ lease: z.int(), batch: z.int(), graced: z.boolean() });
const Doorbell = z.object({ rung: z.int(), failed: z.int() });

/** `lease`: take it back. `doorbell`: put the pending job into the queue (again). */
const KINDS = { lease: Lease, doorbell: Doorbell };
export type TimerKind = keyof typeof KINDS;
export type TimerData<K extends TimerKind> = z.infer<(typeof KINDS)[K]>;

interface Row extends Record<string, SqlStorageValue> {
  due_at: number;
  data: string;
}

export class Timers {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  create(): void {
    this.#storage.sql.exec('CREATE TABLE IF NOT EXISTS timers (kind TEXT PRIMARY KEY, due_at INTEGER, data TEXT)');
  }

  set<K extends TimerKind>(kind: K, dueAt: number, data: TimerData<K>): void {
    this.#storage.sql.exec('INSERT OR REPLACE INTO timers VALUES (?, ?, ?)', kind, dueAt, JSON.stringify(data));
  }

  clear(kind: TimerKind): void {
    this.#storage.sql.exec('DELETE FROM timers WHERE kind = ?', kind);
  }

  get<K extends TimerKind>(kind: K): ({ due_at: number } & TimerData<K>) | null {
    const [row] = this.#storage.sql.exec<Row>('SELECT due_at, data FROM timers WHERE kind = ?', kind).toArray();
    if (!row) return null;
    return { due_at: row.due_at, ...(KINDS[kind].parse(JSON.parse(row.data)) as TimerData<K>) };
  }

  /** Sets the alarm to the earliest timer. The returned promise needs no waiting: the output gate does. */
  async arm(): Promise<void> {
    const [row] = this.#storage.sql.exec<{ due: number | null }>('SELECT min(due_at) AS due FROM timers').toArray();
    if (row?.due == null) await this.#storage.deleteAlarm();
    else await this.#storage.setAlarm(row.due);
  }
}
