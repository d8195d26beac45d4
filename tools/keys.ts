/**
 * `npm run keys -- create | list | revoke`: API keys, straight in the database, so that the first one needs no other. A
 * key is shown when it is made and never again; the database knows only its digest.
 */
import { z } from 'zod';
import { ApiKey, digestOf, makeKey } from '../src/contract/access.ts';
import { execute } from './keys/database.ts';
import { type KeysCommand, type Place, readKeysOptions } from './keys/options.ts';
import { main, Refusal } from './main.ts';

const COLUMNS = 'id, name, role, created_at, last_used_at, revoked_at';

const at = z.int().transform((ms) => new Date(ms).toISOString());
const Rows = z.array(
  z
    .object({ id: z.string(), name: z.string(), role: z.string(), created_at: at })
    .extend({ last_used_at: at.nullable(), revoked_at: at.nullable() })
    .pipe(ApiKey),
);

await main(async (stop) => {
  const { command, place, json } = readKeysOptions(process.argv.slice(2));
  const show = (value: unknown, text: string): void => console.log(json ? JSON.stringify(value) : text);
  if (command.do === 'create') {
    const { id, key } = makeKey();
    const [made] = Rows.parse(await execute(await insertion(id, key, command), place, stop));
    show(
      { ...made, key },
      `${line(made)}\n\n${key}\n\nKeep it: it is not shown again. Send it as "Authorization: Bearer ...".`,
    );
  } else if (command.do === 'list') {
    const keys = Rows.parse(await execute(`SELECT ${COLUMNS} FROM api_keys ORDER BY created_at DESC, id`, place, stop));
    show({ keys }, keys.map(line).join('\n') || 'There are no keys. Make one: npm run keys -- create');
  } else {
    const [revoked] = Rows.parse(await execute(revocation(command.id), place, stop));
    if (!revoked) throw new Refusal(`There is no key ${command.id} in ${nameOf(place)}. See: npm run keys -- list`);
    show(revoked, line(revoked));
  }
  return 0;
});

/** Name, role, id and digest have passed their schemas, none of which lets a quote through. */
async function insertion(id: string, key: string, { name, role }: KeysCommand & { do: 'create' }): Promise<string> {
  const values = `'${id}', '${name}', '${role}', '${await digestOf(key)}', ${Date.now()}`;
  return `INSERT INTO api_keys (id, name, role, hash, created_at) VALUES (${values}) RETURNING ${COLUMNS}`;
}

function revocation(id: string): string {
  return `UPDATE api_keys SET revoked_at = coalesce(revoked_at, ${Date.now()}) WHERE id = '${id}' RETURNING ${COLUMNS}`;
}

function line(key: ApiKey | undefined): string {
  if (!key) throw new Error('The database did not answer with the key.');
  const { id, name, role, created_at, last_used_at, revoked_at } = key;
  const used = revoked_at ? `revoked ${revoked_at}` : last_used_at ? `last used ${last_used_at}` : 'never used';
  return `${id}  ${role.padEnd(6)}  ${name.padEnd(20)}  created ${created_at}, ${used}`;
}

function nameOf({ remote, env }: Place): string {
  return remote ? `the deployed database (${env || 'top level'})` : 'STATE_DIR';
}
