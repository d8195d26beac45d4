/**
 * The database of a Reelwire, reached as people reach it: `wrangler d1 execute`. A local one is given its tables first,
 * so that a key can be made before anything has run; a deployed one has them by its migrations.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Refusal } from '../../tools/main.ts';
import { ROOT, stateDir } from '../../tools/paths.mjs';
import { QUIET, WRANGLER } from '../../tools/wrangler.ts';
import type { Place } from './place.ts';

const Answer = z.array(z.object({ results: z.array(z.unknown()) })).min(1);

/** The rows of the last statement. `sql` must hold nothing that people have typed freely. */
export async function execute(sql: string, place: Place, stop: AbortSignal): Promise<unknown[]> {
  const tables = readFileSync(join(ROOT, 'migrations', '0003_keys.sql'), 'utf8');
  const where = place.remote ? ['--remote'] : ['--local', '--persist-to', stateDir()];
  const command = place.remote ? sql : `${tables}\n${sql}`;
  const options = [`--env=${place.env}`, '--json', '--yes', `--command=${command}`];
  const output = await wrangler(['d1', 'execute', 'DB', ...where, ...options], place, stop);
  const answer = Answer.parse(JSON.parse(output));
  return answer.at(-1)?.results ?? [];
}

/** Its standard output; what it says when it fails, as a refusal. */
function wrangler(args: string[], { remote }: Place, signal: AbortSignal): Promise<string> {
  const env = {
    ...process.env,
    ...(remote ? {} : { CLOUDFLARE_CF_FETCH_ENABLED: 'false' }),
    ...QUIET,
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env, signal }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (signal.aborted) reject(signal.reason);
      else reject(new Refusal(`wrangler could not do it:\n${(stderr + stdout).trim()}${remote ? HINT : ''}`));
    });
  });
}

const HINT = '\nThe tables of a deployed database come with `npm run deploy`.';
