/**
 * The pull API of Cloudflare Queues for development, where pull consumers do not exist: the Worker is the queue's push
 * consumer, hands each message to this object, and serves the pull and ack calls of the official SDK from it. As
 * there, a pulled message is hidden for the visibility time-out and comes again unless it was acknowledged under the
 * lease id of its last pull; `attempts` counts the pulls.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Env } from './env.ts';

/** As the queue's limit is by default: after so many pulls a message is given up. */
const MAX_ATTEMPTS = 100;

export interface PulledMessage {
  id: string;
  body: string;
  attempts: number;
  timestamp_ms: number;
  lease_id: string;
  metadata: Record<string, string>;
}

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  body: string;
  attempts: number;
  sent_at: number;
  lease_id: string;
}

export class PullQueue extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS messages (
      id TEXT PRIMARY KEY, body TEXT, attempts INTEGER, sent_at INTEGER, visible_at INTEGER, lease_id TEXT
    )`);
  }

  /** `body` is JSON. A message that is handed over twice is one message. */
  async push(id: string, body: string, sentAt: number): Promise<void> {
    this.#sql.exec(`INSERT OR IGNORE INTO messages VALUES (?, ?, 0, ?, 0, '')`, id, body, sentAt);
  }

  async pull(batchSize: number, visibilityMs: number): Promise<{ backlog: number; messages: PulledMessage[] }> {
    const now = Date.now();
    this.#sql.exec('DELETE FROM messages WHERE attempts >= ? AND visible_at <= ?', MAX_ATTEMPTS, now);
    const visible = this.#sql
      .exec<Row>('SELECT * FROM messages WHERE visible_at <= ? ORDER BY sent_at LIMIT ?', now, batchSize)
      .toArray();
    const messages = visible.map(({ id, body, attempts, sent_at }) => {
      const lease_id = crypto.randomUUID();
      this.#sql.exec(
        'UPDATE messages SET attempts = attempts + 1, visible_at = ?, lease_id = ? WHERE id = ?',
        now + visibilityMs,
        lease_id,
        id,
      );
      const metadata = { 'CF-Content-Type': 'json' };
      return { id, body, attempts: attempts + 1, timestamp_ms: sent_at, lease_id, metadata };
    });
    const backlog = this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM messages').one().n;
    return { backlog, messages };
  }

  /** A lease id that is unknown, or whose message has become visible again, leads to a warning and nothing else. */
  async ack(
    acks: string[],
    retries: { lease_id: string; delay_seconds: number }[],
  ): Promise<{ ackCount: number; retryCount: number; warnings: Record<string, string> }> {
    const now = Date.now();
    const warnings: Record<string, string> = {};
    const settle = (lease: string, sql: string, ...values: SqlStorageValue[]): number => {
      const { rowsWritten } = this.#sql.exec(`${sql} WHERE lease_id = ? AND visible_at > ?`, ...values, lease, now);
      if (rowsWritten === 0) warnings[lease] = 'The lease is unknown or has expired; the message may come again';
      return rowsWritten === 0 ? 0 : 1;
    };
    const count = (numbers: number[]): number => numbers.reduce((sum, n) => sum + n, 0);
    return {
      ackCount: count(acks.map((lease) => settle(lease, 'DELETE FROM messages'))),
      retryCount: count(
        retries.map(({ lease_id, delay_seconds }) =>
          settle(lease_id, 'UPDATE messages SET visible_at = ?', now + delay_seconds * 1000),
        ),
      ),
      warnings,
    };
  }
}
