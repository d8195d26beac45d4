/**
 * The list of endpoints in D1: a projection of their objects, asked by the page of endpoints and by jobs that look for
 * those that want to hear of every job. A row only ever moves forward.
 */
import { withTables } from '../job-list.ts';
import { type Endpoint, viewOf } from './endpoint.ts';

const LIST = `INSERT INTO webhooks (id, owner, implicit, enabled, created_at, version, summary)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    enabled = excluded.enabled, created_at = excluded.created_at, version = excluded.version,
    summary = excluded.summary
  WHERE excluded.version > webhooks.version`;

const FOR_JOBS = 'SELECT id FROM webhooks WHERE enabled = 1 AND implicit = 0 ORDER BY created_at, id';

export async function listWebhook(db: D1Database, endpoint: Endpoint): Promise<void> {
  const { id, owner, implicit, disabled, created_at, version } = endpoint;
  const values = [id, owner, implicit ? 1 : 0, disabled ? 0 : 1, created_at, version, JSON.stringify(viewOf(endpoint))];
  await withTables(db, () =>
    db
      .prepare(LIST)
      .bind(...values)
      .run(),
  );
}

export async function unlistWebhook(db: D1Database, id: string): Promise<void> {
  await withTables(db, () => db.prepare('DELETE FROM webhooks WHERE id = ?').bind(id).run());
}

/** The endpoints that hear of every new job. */
export async function endpointsForJobs(db: D1Database): Promise<string[]> {
  const { results } = await withTables(db, () => db.prepare(FOR_JOBS).all<{ id: string }>());
  return results.map(({ id }) => id);
}
