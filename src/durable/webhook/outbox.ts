/**
 * The events of one endpoint and every attempt to deliver them. An event is `pending` until its time has come,
 * `sending` from before its request begins until the answer is known, then `delivered`, `pending` again, or `failed`.
 * Events of the same lane (a job) are sent one at a time. What is added twice is there once.
 */
import { z } from 'zod';
import { Attempt, type Delivery, DeliveryState, EventId } from '../../contract/webhooks.ts';
import { iso } from './endpoint.ts';

export interface NewEvent {
  id: string;
  job: string | null;
  seq: number | null;
  type: string;
  body: string;
}

/** An event as it is sent. `tries` counts the attempts that were made and counted. */
export interface Outgoing {
  n: number;
  id: string;
  body: string;
  tries: number;
}

/** What becomes of an event after an attempt; `due_at` is its next one. */
export interface Outcome {
  state: DeliveryState;
  tries: number;
  due_at: number | null;
}

const AttemptRow = Attempt.extend({ at: z.int().transform(iso), probe: z.int().transform(Boolean) });
export type NewAttempt = Omit<Attempt, 'at'> & { at: number };

const TABLES = [
  `CREATE TABLE IF NOT EXISTS events (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, lane TEXT NOT NULL, job TEXT, seq INTEGER, type TEXT NOT NULL,
    body TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, due_at INTEGER,
    attempted_at INTEGER NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS events_in_order ON events (state, n)',
  'CREATE INDEX IF NOT EXISTS events_by_time ON events (state, due_at)',
  `CREATE TABLE IF NOT EXISTS attempts (
    event INTEGER NOT NULL, at INTEGER NOT NULL, status INTEGER, latency_ms INTEGER NOT NULL, answer TEXT, error TEXT,
    probe INTEGER NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS attempts_by_event ON attempts (event)',
];

const ADD = `INSERT INTO events (id, lane, job, seq, type, body, created_at, state, tries, due_at, attempted_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, 0) ON CONFLICT (id) DO NOTHING`;

const NEXT = `SELECT n, id, body, tries FROM events WHERE state = 'pending' AND due_at <= ?
  AND lane NOT IN (SELECT lane FROM events WHERE state = 'sending') ORDER BY n LIMIT 1`;

/** Whatever its time: the one that was not tried for longest. */
const PROBE = `SELECT n, id, body, tries FROM events WHERE state = 'pending' ORDER BY attempted_at, n LIMIT 1`;

/** Tried before all others. */
const URGENT = -1;

interface EventRow extends Record<string, SqlStorageValue> {
  n: number;
  id: string;
  job: string | null;
  seq: number | null;
  type: string;
  state: string;
  due_at: number | null;
  created_at: number;
}

export class Outbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  create(): void {
    for (const table of TABLES) this.#sql.exec(table);
  }

  clear(): void {
    this.#sql.exec('DELETE FROM events');
    this.#sql.exec('DELETE FROM attempts');
  }

  /** An event that is known stays as it is. */
  add({ id, job, seq, type, body }: NewEvent, at: number, dueAt: number): void {
    this.#sql.exec(ADD, id, job ?? id, job, seq, type, body, at, dueAt);
  }

  next(now: number): Outgoing | null {
    return this.#one(NEXT, now);
  }

  nextProbe(): Outgoing | null {
    return this.#one(PROBE);
  }

  /** Before it is sent. Should nothing be heard of it by `overdueAt`, it is looked at again. */
  begin(n: number, now: number, overdueAt: number): void {
    const begun = `UPDATE events SET state = 'sending', attempted_at = ?, due_at = ? WHERE n = ?`;
    this.#sql.exec(begun, now, overdueAt, n);
  }

  /** Does nothing if the event is not there any more. */
  end({ n, id }: Outgoing, { state, tries, due_at }: Outcome, attempt: NewAttempt): void {
    const ended = 'UPDATE events SET state = ?, tries = ?, due_at = ? WHERE n = ? AND id = ? RETURNING n';
    if (this.#sql.exec(ended, state, tries, due_at, n, id).toArray().length > 0) this.#log(n, attempt);
  }

  get sending(): number {
    return this.#sql.exec<{ n: number }>(`SELECT count(*) AS n FROM events WHERE state = 'sending'`).one().n;
  }

  /** What was being sent, was to be over by `overdueAt`, and of which nobody knows what became, is sent again. */
  recover(now: number, overdueAt: number): void {
    const lost = `UPDATE events SET state = 'pending', due_at = ? WHERE state = 'sending' AND due_at <= ?
      RETURNING n, attempted_at AS at`;
    const error = 'interrupted';
    for (const { n, at } of this.#sql.exec<{ n: number; at: number }>(lost, now, overdueAt).toArray()) {
      this.#log(n, { at, status: null, latency_ms: now - at, answer: null, error, probe: false });
    }
  }

  /** Nothing has to wait for its time any more. */
  release(now: number): void {
    this.#sql.exec(`UPDATE events SET due_at = ? WHERE state = 'pending' AND due_at > ?`, now, now);
  }

  /** From the first attempt on, as if it had never been sent; one that is being sent is left alone. */
  again(id: string, now: number): boolean {
    const anew = `UPDATE events SET state = 'pending', tries = 0, due_at = ?, attempted_at = ? WHERE id = ? AND state <> 'sending'`;
    this.#sql.exec(anew, now, URGENT, id);
    return this.#sql.exec('SELECT 1 FROM events WHERE id = ?', id).toArray().length > 0;
  }

  /** When the first event is due, the first one after `now`, and the first one that is being sent overdue. */
  dueAt(now: number): { first: number | null; later: number | null; overdue: number | null } {
    const min = (condition: string, ...values: number[]): number | null =>
      this.#sql
        .exec<{ due: number | null }>(`SELECT min(due_at) AS due FROM events WHERE ${condition}`, ...values)
        .one().due;
    return {
      first: min(`state = 'pending'`),
      later: min(`state = 'pending' AND due_at > ?`, now),
      overdue: min(`state = 'sending'`),
    };
  }

  /** When the oldest event came that can be forgotten. */
  get oldest(): number | null {
    const [row] = this.#sql
      .exec<{ at: number }>(`SELECT created_at AS at FROM events WHERE state <> 'sending' ORDER BY n LIMIT 1`)
      .toArray();
    return row?.at ?? null;
  }

  forget(before: number): void {
    const old = `DELETE FROM events WHERE created_at < ? AND state <> 'sending' RETURNING n`;
    for (const { n } of this.#sql.exec<{ n: number }>(old, before).toArray()) {
      this.#sql.exec('DELETE FROM attempts WHERE event = ?', n);
    }
  }

  /** Newest first, those before `cursor`. */
  page(limit: number, cursor = Number.MAX_SAFE_INTEGER): { deliveries: Delivery[]; next: number | null } {
    const rows = this.#sql
      .exec<EventRow>('SELECT * FROM events WHERE n < ? ORDER BY n DESC LIMIT ?', cursor, limit + 1)
      .toArray();
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return { deliveries: shown.map((row) => this.#delivery(row)), next: last?.n ?? null };
  }

  find(id: string): Delivery | null {
    const [row] = this.#sql.exec<EventRow>('SELECT * FROM events WHERE id = ?', id).toArray();
    return row ? this.#delivery(row) : null;
  }

  #one(sql: string, ...values: number[]): Outgoing | null {
    const [row] = this.#sql.exec<{ n: number; id: string; body: string; tries: number }>(sql, ...values).toArray();
    return row ?? null;
  }

  #log(n: number, { at, status, latency_ms, answer, error, probe }: NewAttempt): void {
    const values = [n, at, status, latency_ms, answer, error, probe ? 1 : 0];
    this.#sql.exec('INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)', ...values);
  }

  #delivery({ n, id, type, job, seq, state, due_at, created_at }: EventRow): Delivery {
    const attempts = this.#sql
      .exec<Record<string, SqlStorageValue>>('SELECT * FROM attempts WHERE event = ? ORDER BY rowid', n)
      .toArray();
    return {
      event_id: EventId.parse(id),
      ...{ type, job_id: job, seq, state: DeliveryState.parse(state) },
      next_attempt_at: state === 'pending' && due_at !== null ? iso(due_at) : null,
      created_at: iso(created_at),
      attempts: attempts.map((row) => AttemptRow.parse(row)),
    };
  }
}
