/**
 * The timers of one job: rows of one table, the earliest of which is the object's alarm. Rows are written in the
 * transaction of the entries they belong to; `arm` follows it without an await, so the alarm goes to disk with them. A
 * timer that is never due (`Infinity`) only remembers.
 */
import { z } from 'zod';
import { LeaseNumber, WebhookId } from '../../contract/ids.ts';

/** `tries`: how often the errand was begun and not brought to its end. */
const Errand = z.object({ tries: z.int() });

/** Changes of the job and nothing else. `lease`: take it back. `expiry`: delete the job. `upload`: wait for its source no longer. */
const PURE = {
  lease: z.object({ lease: z.int(), batch: z.int(), graced: z.boolean() }),
  expiry: z.object({}),
  upload: z.object({}),
};

/** Work outside. */
const ERRANDS = {
  /** Put the pending job into the queue, for the `rung`th time after the first. */
  doorbell: Errand.extend({ rung: z.int() }),
  /** Put the job whose source is at a URL into the queue of those that fetch, for the `rung`th time after the first. */
  fetch: Errand.extend({ rung: z.int() }),
  /** Tell the upload object of a job that ended without a source that no bytes are wanted any more. */
  close_upload: Errand,
  /** Bring the list of jobs up to date. */
  list: Errand,
  /** Remove what takes up to `lease` have stored and nothing names. */
  sweep: Errand.extend({ lease: LeaseNumber, round: z.int(), cursor: z.string().nullable() }),
  /** Remove all objects of a deleted job, and in the end the job itself. */
  erase: Errand.extend({ round: z.int() }),
  /** Find out which webhook endpoints there are. */
  subscribe: Errand,
};

/**
 * For each webhook endpoint that hears of the job: hand it what the log has after `cursor`. `progress_from`: from which
 * time on the next `progress` is for it; null if none is.
 */
const Delivery = Errand.extend({ cursor: z.int().min(0), progress_from: z.int().nullable() });
const DELIVERY = 'webhook:';

const KINDS = { ...PURE, ...ERRANDS };
type Kind = keyof typeof KINDS;
export type DeliveryKind = `${typeof DELIVERY}${string}`;
export type TimerKind = Kind | DeliveryKind;
export type ErrandKind = keyof typeof ERRANDS | DeliveryKind;
export type TimerData<K extends TimerKind> = z.infer<K extends Kind ? (typeof KINDS)[K] : typeof Delivery>;

export const deliveryTo = (endpoint: string): DeliveryKind => `${DELIVERY}${endpoint}`;
export const endpointOf = (kind: DeliveryKind): string => WebhookId.parse(kind.slice(DELIVERY.length));

const isDelivery = (kind: TimerKind): kind is DeliveryKind => kind.startsWith(DELIVERY);
const schemaOf = (kind: TimerKind): z.ZodType => (isDelivery(kind) ? Delivery : KINDS[kind]);

interface Row extends Record<string, SqlStorageValue> {
  due_at: number | null;
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
    this.#storage.sql.exec(
      'INSERT OR REPLACE INTO timers VALUES (?, ?, ?)',
      kind,
      Number.isFinite(dueAt) ? dueAt : null,
      JSON.stringify(schemaOf(kind).parse(data)),
    );
  }

  clear(kind: TimerKind): void {
    this.#storage.sql.exec('DELETE FROM timers WHERE kind = ?', kind);
  }

  /** Null also for a timer that cannot be read: who needs it sets it anew. */
  get<K extends TimerKind>(kind: K): ({ due_at: number } & TimerData<K>) | null {
    if (!this.#exist()) return null;
    const [row] = this.#storage.sql.exec<Row>('SELECT due_at, data FROM timers WHERE kind = ?', kind).toArray();
    if (!row) return null;
    const data = schemaOf(kind).safeParse(JSON.parse(row.data));
    if (!data.success) return null;
    return { due_at: row.due_at ?? Number.POSITIVE_INFINITY, ...(data.data as TimerData<K>) };
  }

  /** The timers of all endpoints that hear of the job. */
  deliveries(): DeliveryKind[] {
    if (!this.#exist()) return [];
    const rows = this.#storage.sql.exec<{ kind: TimerKind }>('SELECT kind FROM timers').toArray();
    return rows.map(({ kind }) => kind).filter(isDelivery);
  }

  /** Sets the alarm to the earliest timer, but not before `notBefore`. The returned promise needs no waiting: the output gate does. */
  async arm(notBefore = 0): Promise<void> {
    if (!this.#exist()) return;
    const [row] = this.#storage.sql.exec<{ due: number | null }>('SELECT min(due_at) AS due FROM timers').toArray();
    if (row?.due == null) await this.#storage.deleteAlarm();
    else await this.#storage.setAlarm(Math.max(row.due, notBefore));
  }

  /** An unknown job has none, and a deleted one no longer. */
  #exist(): boolean {
    return this.#storage.sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'timers'`).toArray().length > 0;
  }
}
