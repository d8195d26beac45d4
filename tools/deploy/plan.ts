/** `--plan`: every step for an account with nothing in it, with the command that would do it. Nobody is asked. */

import type { Wrangler } from '../wrangler/child.ts';
import { NOTHING } from './existing.ts';
import { publishing } from './publish.ts';
import type { Report } from './report.ts';
import { migrations, resources } from './resources.ts';
import { noAddress, type Wanted } from './wanted.ts';

export function tellPlan(wanted: Wanted, wrangler: Wrangler, report: Report): void {
  for (const { what, make } of resources(wanted, NOTHING))
    report.planned(what, wrangler.command(make), 'if it is missing');
  for (const name of wanted.secrets) {
    report.planned(`the secret ${name}`, null, 'if it is missing: from the environment, or drawn');
  }
  for (const { what, make } of migrations(wanted)) report.planned(what, wrangler.command(make), 'always');
  report.planned(`the Worker ${wanted.worker}`, wrangler.command(publishing(wanted, null)), 'always');
  report.planned('a look from outside', null, `at ${wanted.address ?? 'the address that wrangler says'}`);
  if (!wanted.isReachable) report.note(noAddress(wanted.env));
}
