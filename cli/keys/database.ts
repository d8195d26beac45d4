/**
 * The database of a Reelwire, reached as people reach it: `wrangler d1 execute`. A local one is given its tables first,
 * so that a key can be made before anything has run; a deployed one has them by its migrations.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT, stateDir } from '../../tools/paths.mjs';
import { fromJson, Wrangler } from '../../tools/wrangler/child.ts';
import { nameOf, type Place } from './place.ts';

const Answer = z.array(z.object({ results: z.array(z.unknown()) })).min(1);

/** The rows of the last statement. `sql` must hold nothing that people have typed freely. */
export async function execute(sql: string, place: Place, stop: AbortSignal): Promise<unknown[]> {
  const tables = readFileSync(join(ROOT, 'migrations', '0003_keys.sql'), 'utf8');
  const where = place.remote ? ['--remote'] : ['--local', '--persist-to', stateDir()];
  const command = place.remote ? sql : `${tables}\n${sql}`;
  const environment = place.remote ? {} : { CLOUDFLARE_CF_FETCH_ENABLED: 'false' };
  const wrangler = new Wrangler(place.env, stop);
  const args = ['d1', 'execute', 'DB', ...where, '--json', '--yes', `--command=${command}`];
  const answer = fromJson(Answer, await wrangler.run(args, environment, `Asking ${nameOf(place)}`));
  return answer.at(-1)?.results ?? [];
}
