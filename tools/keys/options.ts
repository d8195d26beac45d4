/** The command line of `npm run keys`. */
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { KeyId, KeyRequest } from '../../src/contract/access.ts';
import { Refusal } from '../main.ts';

export type KeysCommand =
  | { do: 'create'; name: string; role: KeyRequest['role'] }
  | { do: 'list' }
  | { do: 'revoke'; id: string };

/** Which database: a deployed one, or that of STATE_DIR; of which environment of wrangler.toml. */
export interface Place {
  remote: boolean;
  env: string;
}

const USAGE = `Usage:
  npm run keys -- create --name NAME --role read|submit|admin
  npm run keys -- list
  npm run keys -- revoke ID
Each with [--remote --env production] for the deployed database, and [--json].`;

export function readKeysOptions(args: string[]): { command: KeysCommand; place: Place; json: boolean } {
  const { values, positionals } = parsed(args);
  const { name, role, remote, env, json } = values;
  return { command: commandOf(positionals, { name, role }), place: { remote, env }, json };
}

function commandOf(
  [verb, id, ...more]: string[],
  given: { name: string | undefined; role: string | undefined },
): KeysCommand {
  const isBare = given.name === undefined && given.role === undefined;
  if (more.length > 0) throw refused(`There is nothing to do with "${more[0]}".`);
  if (verb === 'create' && id === undefined) return { do: 'create', ...checked(KeyRequest, given) };
  if (verb === 'list' && id === undefined && isBare) return { do: 'list' };
  if (verb === 'revoke' && id !== undefined && isBare) return { do: 'revoke', id: checked(KeyId, id) };
  throw refused(
    verb === undefined ? 'Say what to do.' : `"${words(verb, id)}" is no command, or not with these options.`,
  );
}

const words = (...some: (string | undefined)[]): string => some.filter((one) => one !== undefined).join(' ');

function checked<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const option = issue?.path[0];
  throw refused(words(option === undefined ? undefined : `--${String(option)}:`, issue?.message));
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        role: { type: 'string' },
        remote: { type: 'boolean', default: false },
        env: { type: 'string', default: '' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

const refused = (why: string): Refusal => new Refusal(`${why}\n${USAGE}`, 2);
