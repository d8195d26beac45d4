/**
 * API keys in D1, looked up on every request, so that a revoked one opens nothing from that moment on. When a key was
 * last used is noted beside the request, at most once a minute. `/keys` makes, lists and revokes them.
 */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import {
  type ApiKey,
  digestOf,
  KeyId,
  KeyRequest,
  type KeysPage,
  keyIdOf,
  makeKey,
  type NewApiKey,
  Role,
} from '../contract/access.ts';
import { withTables } from '../durable/job-list.ts';
import { within } from '../durable/timing.ts';
import type { Principal } from './access/principal.ts';
import { isSame } from './access/same.ts';
import type { App } from './app.ts';
import { ProblemError, parse } from './problems.ts';
import { json } from './queue-api.ts';

type KeyPrincipal = Extract<Principal, { kind: 'key' }>;

const ANSWER_MS = 5000;
const NOTE_EVERY_MS = 60_000;

const Row = z.object({
  id: KeyId,
  name: z.string(),
  role: Role,
  hash: z.string(),
  created_at: z.int(),
  last_used_at: z.int().nullable(),
  revoked_at: z.int().nullable(),
});
type Row = z.infer<typeof Row>;

const FIND = 'SELECT * FROM api_keys WHERE id = ? AND revoked_at IS NULL';
const LIST = 'SELECT * FROM api_keys ORDER BY created_at DESC, id';
const INSERT = 'INSERT INTO api_keys (id, name, role, hash, created_at) VALUES (?, ?, ?, ?, ?) RETURNING *';
const REVOKE = 'UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING *';
const NOTE = 'UPDATE api_keys SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at < ?1)';

/** Null for a key that is none, or none any more. */
export async function findKey(c: Context<App>, key: string): Promise<KeyPrincipal | null> {
  const id = keyIdOf(key);
  const row = id === null ? null : await find(c, id);
  if (!row || !(await isSame(await digestOf(key), row.hash))) return null;
  return used(c, row);
}

/** The key that a session was opened with; null if it has been revoked. */
export async function findKeyById(c: Context<App>, id: string): Promise<KeyPrincipal | null> {
  const row = await find(c, id);
  return row && used(c, row);
}

export const keys = new Hono<App>()
  .get('/', async (c) => {
    const { results } = await inDatabase(c, (db) => db.prepare(LIST).all());
    return c.json({ keys: z.array(Row).parse(results).map(shown) } satisfies KeysPage);
  })
  .post('/', async (c) => {
    const { name, role } = parse(KeyRequest, await json(c));
    const { id, key } = makeKey();
    const hash = await digestOf(key);
    const row = await inDatabase(c, (db) => db.prepare(INSERT).bind(id, name, role, hash, Date.now()).first());
    return c.json({ ...shown(Row.parse(row)), key } satisfies NewApiKey, 201);
  })
  .delete('/:id', async (c) => {
    const id = c.req.param('id');
    const row = await inDatabase(c, (db) => db.prepare(REVOKE).bind(Date.now(), id).first());
    if (row === null) throw new ProblemError('key_not_found', 'There is no key with this id. GET /keys lists them.');
    return c.json(shown(Row.parse(row)));
  });

/** Runs a statement on what access knows; a problem if the database does not answer. */
export async function inDatabase<T>(c: Context<App>, run: (db: D1Database) => Promise<T>): Promise<T> {
  try {
    return await within(
      ANSWER_MS,
      withTables(c.env.DB, () => run(c.env.DB)),
    );
  } catch (error) {
    console.error(JSON.stringify({ msg: 'the keys cannot be read', error: String(error) }));
    const detail = 'Try again in a moment. If it persists, the migrations of the database may not have been applied.';
    throw new ProblemError('keys_unavailable', detail, { 'Retry-After': '5' });
  }
}

async function find(c: Context<App>, id: string): Promise<Row | null> {
  const row = await inDatabase(c, (db) => db.prepare(FIND).bind(id).first());
  return row && Row.parse(row);
}

function used(c: Context<App>, { id, name, role, last_used_at }: Row): KeyPrincipal {
  const now = Date.now();
  if (now - (last_used_at ?? 0) > NOTE_EVERY_MS) c.executionCtx.waitUntil(note(c, id, now));
  return { kind: 'key', id, name, role };
}

async function note(c: Context<App>, id: string, now: number): Promise<void> {
  try {
    await c.env.DB.prepare(NOTE).bind(now, id).run();
  } catch (error) {
    console.error(JSON.stringify({ msg: 'the use of a key was not noted', id, error: String(error) }));
  }
}

const shown = ({ id, name, role, ...at }: Row): ApiKey => ({
  id,
  name,
  role,
  created_at: iso(at.created_at),
  last_used_at: at.last_used_at === null ? null : iso(at.last_used_at),
  revoked_at: at.revoked_at === null ? null : iso(at.revoked_at),
});

const iso = (at: number): string => new Date(at).toISOString();
