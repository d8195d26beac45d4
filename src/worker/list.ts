/**
 * `GET /jobs`: the list of jobs, newest first, in pages. A page begins after a position (time of creation, id) that
 * never changes, so pages neither repeat nor miss a job while others come; the cursor is the position of the page's
 * last job, and the first page begins after the end of time. What a key begins with is looked up as a range of folded
 * keys. Each combination of filters has an index that finds its rows.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import { JobSummary, type JobsPage, JobsQuery } from '../contract/api.ts';
import { JobId } from '../contract/ids.ts';
import { folded, lacksTables, withTables } from '../durable/job-list.ts';
import { within } from '../durable/timing.ts';
import type { App } from './app.ts';
import { ProblemError, parse } from './problems.ts';

const LIST_MS = 5000;

const Position = z.tuple([z.int().min(0), JobId]);
type Position = z.infer<typeof Position>;

export const END_OF_TIME = [Number.MAX_SAFE_INTEGER, ''] as const;

const BASE64URL = { alphabet: 'base64url', omitPadding: true } as const;

const Place = z.object({ id: JobId, created_at: z.int(), summary: z.string() });

/** Nothing of a row that an older version has written otherwise; its job is there all the same. */
function readable(summary: string): JobSummary[] {
  const { success, data } = JobSummary.safeParse(JSON.parse(summary));
  if (!success) console.error(JSON.stringify({ msg: 'a row of the list cannot be read', summary }));
  return success ? [data] : [];
}

export async function list(c: Context<App>): Promise<Response> {
  const query = parse(JobsQuery, c.req.query());
  const after = query.cursor === undefined ? END_OF_TIME : decoded(query.cursor);
  const rows = z.array(Place).parse(await read(c.env.DB, pageStatement(query, after)));
  const shown = rows.slice(0, query.limit);
  const last = rows.length > shown.length ? shown.at(-1) : undefined;
  const next_cursor = last ? encoded([last.created_at, last.id]) : null;
  return c.json({ jobs: shown.flatMap(({ summary }) => readable(summary)), next_cursor } satisfies JobsPage);
}

/** One row more than the page has, which says whether another page follows. */
export function pageStatement(
  { status, q, limit }: Pick<JobsQuery, 'status' | 'q' | 'limit'>,
  after: readonly [number, string] = END_OF_TIME,
): { sql: string; values: (string | number)[] } {
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

async function read(db: D1Database, { sql, values }: ReturnType<typeof pageStatement>): Promise<unknown[]> {
  const statement = (): Promise<D1Result> =>
    db
      .prepare(sql)
      .bind(...values)
      .all();
  try {
    return (await within(LIST_MS, withTables(db, statement))).results;
  } catch (error) {
    if (lacksTables(error)) throw error;
    console.error(JSON.stringify({ msg: 'the list of jobs cannot be read', error: String(error) }));
    throw new ProblemError(
      'list_unavailable',
      'Try again in a moment. Jobs go on, and each can be reached by its id all the same.',
    );
  }
}

export const encoded = (position: Position): string =>
  new TextEncoder().encode(JSON.stringify(position)).toBase64(BASE64URL);

export function decoded(cursor: string): Position {
  try {
    return Position.parse(JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(cursor, BASE64URL))));
  } catch {
    throw new ProblemError('invalid_field', 'cursor: send the next_cursor of the page before, or none.');
  }
}
