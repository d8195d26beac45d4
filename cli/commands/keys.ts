/**
 * `reelwire keys create | list | revoke`: API keys, straight in the database, so that the first one needs no other. A
 * key is shown when it is made and never again; the database knows only its digest.
 */
import { z } from 'zod';
import { ApiKey, digestOf, KeyId, KeyRequest, makeKey } from '../../src/contract/access.ts';
import { Refusal } from '../../tools/main.ts';
import { EXIT } from '../failure.ts';
import { execute } from '../keys/database.ts';
import { nameOf, type Place } from '../keys/place.ts';
import { typed } from '../typed.ts';

export interface KeysContext {
  place: Place;
  json: boolean;
  stop: AbortSignal;
}

const COLUMNS = 'id, name, role, created_at, last_used_at, revoked_at';

const at = z.int().transform((ms) => new Date(ms).toISOString());
const Rows = z.array(
  z
    .object({ id: z.string(), name: z.string(), role: z.string(), created_at: at })
    .extend({ last_used_at: at.nullable(), revoked_at: at.nullable() })
    .pipe(ApiKey),
);

export async function createKey(context: KeysContext, given: { name?: string; role?: string }): Promise<number> {
  const { name, role } = checked(KeyRequest, given);
  const { id, key } = makeKey();
  const values = `'${id}', '${name}', '${role}', '${await digestOf(key)}', ${Date.now()}`;
  const [made] = await ask(
    context,
    `INSERT INTO api_keys (id, name, role, hash, created_at) VALUES (${values}) RETURNING ${COLUMNS}`,
  );
  show(
    context,
    { ...made, key },
    `${line(made)}\n\n${key}\n\nKeep it: it is not shown again. Set it as REELWIRE_KEY, or send it as "Authorization: Bearer ...".`,
  );
  return EXIT.ok;
}

export async function listKeys(context: KeysContext): Promise<number> {
  const keys = await ask(context, `SELECT ${COLUMNS} FROM api_keys ORDER BY created_at DESC, id`);
  show(context, { keys }, keys.map(line).join('\n') || `There are no keys. Make one: ${command(context, 'create')}`);
  return EXIT.ok;
}

export async function revokeKey(context: KeysContext, given: string): Promise<number> {
  const id = KeyId.safeParse(given).data;
  if (id === undefined)
    throw new Refusal(`The id of a key is 12 hexadecimal digits: "${command(context, 'list')}" shows them.`, 2);
  const revocation = `UPDATE api_keys SET revoked_at = coalesce(revoked_at, ${Date.now()}) WHERE id = '${id}'`;
  const [revoked] = await ask(context, `${revocation} RETURNING ${COLUMNS}`);
  if (!revoked)
    throw new Refusal(`There is no key ${id} in ${nameOf(context.place)}. See: ${command(context, 'list')}`);
  show(context, revoked, line(revoked));
  return EXIT.ok;
}

/** What goes into `sql` has passed a schema that lets no quote through. */
const ask = async ({ place, stop }: KeysContext, sql: string): Promise<ApiKey[]> =>
  Rows.parse(await execute(sql, place, stop));

const show = ({ json }: KeysContext, value: unknown, text: string): void =>
  console.log(json ? JSON.stringify(value) : text);

/** Of the same database. */
const command = ({ place: { remote, env } }: KeysContext, name: string): string =>
  typed('keys', name, ...(remote ? ['--remote'] : []), ...(env === '' ? [] : ['--env', env]));

function checked<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const option = issue?.path[0];
  throw new Refusal(`${option === undefined ? '' : `--${String(option)}: `}${issue?.message}`, 2);
}

function line(key: ApiKey | undefined): string {
  if (!key) throw new Error('The database did not answer with the key.');
  const { id, name, role, created_at, last_used_at, revoked_at } = key;
  const used = revoked_at ? `revoked ${revoked_at}` : last_used_at ? `last used ${last_used_at}` : 'never used';
  return `${id}  ${role.padEnd(6)}  ${name.padEnd(20)}  created ${created_at}, ${used}`;
}
