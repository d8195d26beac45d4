/// <reference path="../../migrations/sql.d.ts" />
/**
 * The list of jobs in D1: a projection of their logs, told by the jobs at least once and in any order. What is told
 * carries the number of the log's last entry, and a row only ever moves forward. A deleted job leaves a tombstone,
 * which nothing that is still on its way can turn into a job again.
 *
 * Where development is open nobody has to apply migrations: the first statement that finds no tables makes them.
 */
import { env } from 'cloudflare:workers';
import firstMigration from '../../migrations/0001_jobs.sql';
import secondMigration from '../../migrations/0002_webhooks.sql';
import thirdMigration from '../../migrations/0003_keys.sql';
import fourthMigration from '../../migrations/0004_metrics.sql';
import { JobSummary } from '../contract/api.ts';
import type { Env } from './env.ts';

/** The statements that make all tables. */
export const TABLES: readonly string[] = [firstMigration, secondMigration, thirdMigration, fourthMigration]
  .flatMap((text) => text.split(/;\s*$/m))
  .filter((sql) => sql.trim() !== '');

/** What is in the row from the beginning (key, time of creation) never changes: the indexes need not be written again. */
const LIST = `INSERT INTO jobs (id, folded_key, status, created_at, completed_at, updated_at, last_event_id, summary)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    status = excluded.status, completed_at = excluded.completed_at, updated_at = excluded.updated_at,
    last_event_id = excluded.last_event_id, summary = excluded.summary
  WHERE excluded.last_event_id > jobs.last_event_id AND jobs.deleted_at IS NULL`;

/** Deletion is the last thing that happens to a job, so it needs no comparison. */
const UNLIST = `INSERT INTO jobs (id, updated_at, last_event_id, deleted_at) VALUES (?1, ?2, ?3, ?2)
  ON CONFLICT (id) DO UPDATE SET
    folded_key = NULL, status = NULL, created_at = NULL, completed_at = NULL, summary = NULL,
    updated_at = excluded.updated_at, deleted_at = excluded.deleted_at,
    last_event_id = max(excluded.last_event_id, jobs.last_event_id)
  WHERE jobs.deleted_at IS NULL`;

/** What metrics count beside what the list shows: attempts of this run, and since when (ms) it waits for a transcoder. */
export interface Counted {
  readonly attempt: number;
  readonly waiting_since: number | null;
}

/** Shows the job in the list as it is after entry `seq` of its log; less than the list knows changes nothing. */
export async function listJob(
  db: D1Database,
  job: JobSummary,
  seq: number,
  { attempt, waiting_since }: Counted = { attempt: 0, waiting_since: null },
): Promise<void> {
  const { id, key, status, created_at, completed_at, updated_at } = job;
  const ended = completed_at === null ? null : Date.parse(completed_at);
  const times = [Date.parse(created_at), ended, Date.parse(updated_at)];
  const summary = JSON.stringify({ ...JobSummary.parse(job), attempt, waiting_since });
  await withTables(db, () =>
    db
      .prepare(LIST)
      .bind(id, folded(key), status, ...times, seq, summary)
      .run(),
  );
}

/** Takes a deleted job from the list, for good. */
export async function unlistJob(db: D1Database, id: string, seq: number): Promise<void> {
  await withTables(db, () => db.prepare(UNLIST).bind(id, Date.now(), seq).run());
}

/**
 * The text in the one spelling in which keys are compared: composed, lower case. Letter by letter, so that the folded
 * beginning of a key is the beginning of the folded key (of a whole word the last sigma would become another letter).
 */
export function folded(text: string): string {
  const letters = [...text.normalize('NFC').toUpperCase()];
  return letters.map((letter) => letter.toLowerCase()).join('');
}

/** Runs statements on the list. In open mode the tables are made if they are missing; elsewhere that is an error. */
export async function withTables<T>(db: D1Database, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { REELWIRE_OPEN }: Pick<Env, 'REELWIRE_OPEN'> = env;
    if (REELWIRE_OPEN !== '1' || !lacksTables(error)) throw error;
  }
  await db.batch(TABLES.map((sql) => db.prepare(sql)));
  return run();
}

/** Whether the migrations have not been applied. */
export const lacksTables = (error: unknown): boolean => error instanceof Error && /no such table/.test(error.message);
