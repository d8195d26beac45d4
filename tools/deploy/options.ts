/** The command line of `npm run deploy`. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Address } from '../../cli/address.ts';
import { Refusal } from '../main.ts';
import { refuseKept } from '../npm.ts';

const USAGE = `Usage: npm run deploy -- [--plan] [--env NAME] [--domain HOST] [--url URL] [--json]
  --plan         say what would be done; asks nobody, needs no account
  --env NAME     the environment of wrangler.toml; default production
  --domain HOST  a name of a zone of yours, at which the server is to be reached
  --url URL      where to look from outside, if that is not where wrangler.toml or --domain say
  --json         one JSON object a line`;

export interface DeployOptions {
  plan: boolean;
  json: boolean;
  env: string;
  domain: string | null;
  /** An origin, without a slash at its end. */
  url: string | null;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const OPTIONS = { plan: flag, json: flag, env: { ...text, default: 'production' }, domain: text, url: text };

const HOST = 'must be a host name with a dot: video.example.com';
const Domain = z.hostname({ error: HOST }).regex(/[^.]\.[^.]/, { error: HOST });

export function readDeployOptions(args: string[]): DeployOptions {
  refuseKept('deploy', Object.keys(OPTIONS));
  const { plan, json, env, domain, url } = parsed(args);
  return {
    ...{ plan, json, env },
    domain: domain === undefined ? null : checked('--domain', Domain, domain),
    url: url === undefined ? null : new URL(checked('--url', Address, url)).origin,
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

function checked<T>(name: string, schema: z.ZodType<T>, value: string): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw refused(`${name}: ${error.issues[0]?.message ?? 'cannot be used'}`);
}

const refused = (why: string): Refusal => new Refusal(`${why}\n${USAGE}`, 2);
