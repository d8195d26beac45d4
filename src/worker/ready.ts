/**
 * `GET /ready`: whether the things behind this server answer, each within a few seconds: the database with its tables,
 * both buckets, and an object. `/health` asks less, and is for whoever wants to know whether the server is there at all.
 */
import type { Context } from 'hono';
import type { Ready } from '../contract/api.ts';
import { FINAL, sourceKey } from '../contract/ids.ts';
import { fleetSize } from '../durable/fleet.ts';
import { withTables } from '../durable/job-list.ts';
import { within } from '../durable/timing.ts';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

const ANSWER_MS = 3000;

/** Reads nothing, but needs the tables that migrations have made. */
const TABLES = 'SELECT 1 FROM jobs, webhooks, api_keys LIMIT 0';

export async function ready(c: Context<App>): Promise<Response> {
  const { DB, INPUT, OUTPUT } = c.env;
  const parts: Record<string, () => Promise<unknown>> = {
    'The database does not answer, or its migrations have not been applied.': () =>
      withTables(DB, () => DB.prepare(TABLES).all()),
    'The bucket of sources does not answer.': () => INPUT.head(sourceKey('none')),
    'The bucket of outputs does not answer.': () => OUTPUT.head(FINAL),
    'The registry of transcoders does not answer.': () => fleetSize(c.env),
  };
  const asked = Object.entries(parts).map(async ([problem, ask]) => ((await answers(problem, ask)) ? [] : [problem]));
  const away = (await Promise.all(asked)).flat();
  if (away.length === 0) return c.json({ status: 'ready' } satisfies Ready);
  throw new ProblemError('not_ready', `${away.join(' ')} The log says more.`, { 'Retry-After': '5' });
}

async function answers(problem: string, ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await within(ANSWER_MS, ask());
    return true;
  } catch (error) {
    console.error(JSON.stringify({ msg: 'not ready', problem, error: String(error) }));
    return false;
  }
}
