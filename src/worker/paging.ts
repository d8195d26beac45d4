/**
 * Lists in pages, newest first. A page begins after a position (time of creation, id) that never changes, so pages
 * neither repeat nor miss anything while more comes; the cursor is the position of the page's last row, and the first
 * page begins after the end of time.
 */
import { z } from 'zod';
import type { ProblemCode } from '../contract/errors.ts';
import { lacksTables, withTables } from '../durable/job-list.ts';
import { within } from '../durable/timing.ts';
import { ProblemError } from './problems.ts';

const LIST_MS = 5000;

const Position = z.tuple([z.int().min(0), z.uuid()]);
export type Position = Readonly<z.infer<typeof Position>> | typeof END_OF_TIME;
export const END_OF_TIME = [Number.MAX_SAFE_INTEGER, ''] as const;

const BASE64URL = { alphabet: 'base64url', omitPadding: true } as const;

const Row = z.object({ id: z.uuid(), created_at: z.int(), summary: z.string() });

export interface PageStatement {
  /** Selects id, created_at and summary (JSON), at most one row more than the page has. */
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** What is answered when the database does not. */
interface Away {
  readonly code: ProblemCode;
  readonly detail: string;
}

export async function readPage<S extends z.ZodType>(
  db: D1Database,
  statement: PageStatement,
  { limit, summary, away }: { limit: number; summary: S; away: Away },
): Promise<{ shown: z.infer<S>[]; next_cursor: string | null }> {
  const rows = z.array(Row).parse(await readRows(db, statement, away));
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const next_cursor = last ? encoded([last.created_at, last.id]) : null;
  return { shown: page.flatMap((row) => readable(row.summary, summary)), next_cursor };
}

/** Where the page with this cursor begins. */
export function positionOf(cursor: string | undefined): Position {
  if (cursor === undefined) return END_OF_TIME;
  try {
    return Position.parse(JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(cursor, BASE64URL))));
  } catch {
    throw new ProblemError('invalid_field', 'cursor: send the next_cursor of the page before, or none.');
  }
}

const encoded = (position: Position): string => new TextEncoder().encode(JSON.stringify(position)).toBase64(BASE64URL);

export async function readRows(
  db: D1Database,
  { sql, values }: PageStatement,
  { code, detail }: Away,
): Promise<unknown[]> {
  const statement = (): Promise<D1Result> =>
    db
      .prepare(sql)
      .bind(...values)
      .all();
  try {
    return (await within(LIST_MS, withTables(db, statement))).results;
  } catch (error) {
    if (lacksTables(error)) throw error;
    console.error(JSON.stringify({ msg: 'a list cannot be read', code, error: String(error) }));
    throw new ProblemError(code, detail);
  }
}

/** Nothing of a row that an older version has written otherwise; what it stands for is there all the same. */
function readable<S extends z.ZodType>(text: string, summary: S): z.infer<S>[] {
  const { success, data } = summary.safeParse(JSON.parse(text));
  if (!success) console.error(JSON.stringify({ msg: 'a row of a list cannot be read', summary: text }));
  return success ? [data] : [];
}
