/**
 * `GET /jobs`: the list of jobs, newest first, in pages (paging.ts). What a key begins with is looked up as a range of
 * folded keys. Each combination of filters has an index that finds its rows.
 */
import type { Context } from 'hono';
import { JobSummary, type JobsPage, JobsQuery } from '../contract/api.ts';
import { folded } from '../durable/job-list.ts';
import type { App } from './app.ts';
import { END_OF_TIME, type PageStatement, type Position, positionOf, readPage } from './paging.ts';
import { parse } from './problems.ts';

export const AWAY = {
  code: 'list_unavailable',
  detail: 'Try again in a moment. Jobs go on, and each can be reached by its id all the same.',
} as const;

export async function list(c: Context<App>): Promise<Response> {
  const query = parse(JobsQuery, c.req.query());
  const statement = pageStatement(query, positionOf(query.cursor));
  const page = await readPage(c.env.DB, statement, { limit: query.limit, summary: JobSummary, away: AWAY });
  return c.json({ jobs: page.shown, next_cursor: page.next_cursor } satisfies JobsPage);
}

/** One row more than the page has, which says whether another page follows. */
export function pageStatement(
  { status, q, limit }: Pick<JobsQuery, 'status' | 'q' | 'limit'>,
  after: Position = END_OF_TIME,
): PageStatement {
  const conditions = ['deleted_at IS NULL', '(created_at, id) < (?, ?)'];
  const values: (string | number)[] = [...after];
  const add = (condition: string, value: string): void => {
    conditions.push(condition);
    values.push(value);
  };
  if (status) add('status = ?', status);
  const prefix = folded(q ?? '');
  const end = endOfPrefix(prefix);
  if (prefix) add('folded_key >= ?', prefix);
  if (end) add('folded_key < ?', end);
  const sql = `SELECT id, created_at, summary FROM jobs ${prefix ? 'INDEXED BY jobs_by_key' : ''}
    WHERE ${conditions.join(' AND ')} ORDER BY created_at DESC, id DESC LIMIT ?`;
  return { sql, values: [...values, limit + 1] };
}

/** The least text greater than all that begin with `prefix`; empty if there is none. Texts compare by code points. */
function endOfPrefix(prefix: string): string {
  const letters = [...prefix];
  while (letters.length > 0) {
    const code = letters.pop()?.codePointAt(0) ?? 0;
    if (code === 0xd7ff) return `${letters.join('')}\u{e000}`;
    if (code < 0x10ffff) return letters.join('') + String.fromCodePoint(code + 1);
  }
  return '';
}
