/** The command line of `npm run cost`. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Address } from '../../cli/address.ts';
import { JobId } from '../../src/contract/ids.ts';
import { Refusal } from '../main.ts';
import { refuseKept } from '../npm.ts';
import type { Audience } from './counts.ts';

const USAGE = 'Usage: npm run cost -- JOB_ID [--edge URL] [--watchers N] [--plays N] [--days N] [--jobs N] [--json]';

export interface CostOptions {
  id: string;
  edge: string;
  audience: Audience;
  /** How many jobs like it. */
  jobs: number;
  json: boolean;
}

const text = { type: 'string' } as const;
const OPTIONS = { edge: text, watchers: text, plays: text, days: text, jobs: text, json: { type: 'boolean' } } as const;

const count = (least: number) => {
  const error = `must be a whole number from ${least} to 1000000000`;
  return z.string().regex(/^\d+$/, { error }).transform(Number).pipe(z.int().min(least, { error }).max(1e9, { error }));
};

const Options = z.object({
  edge: Address,
  watchers: count(0).default(1),
  plays: count(0).default(1),
  days: count(0).default(7),
  jobs: count(1).default(1),
});

export function readCostOptions(args: string[], env: NodeJS.ProcessEnv = process.env): CostOptions {
  refuseKept('cost', Object.keys(OPTIONS), env);
  const { values, positionals } = parsed(args);
  const [given, ...others] = positionals;
  const id = JobId.safeParse(given).data;
  if (id === undefined || others.length > 0) {
    const why =
      given === undefined ? 'Give the id of a job' : id === undefined ? `"${given}" is no id of a job` : 'Give one id';
    throw refused(`${why}: "npx reelwire jobs" lists them.`);
  }
  const { json = false, edge = env.EDGE_URL || 'http://localhost:8787', ...counts } = values;
  const { success, data, error } = Options.safeParse({ edge, ...counts });
  if (!success) {
    const [issue] = error.issues;
    const option = String(issue?.path[0]);
    throw refused(`${option === 'edge' ? '--edge or EDGE_URL' : `--${option}`} ${issue?.message}`);
  }
  const { jobs, watchers, plays, days } = data;
  return { id, edge: data.edge, audience: { watchers, plays, days }, jobs, json };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

const refused = (why: string): Refusal => new Refusal(`${why}\n${USAGE}`, 2);
