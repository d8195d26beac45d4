/** `reelwire doctor`: what is in order, what is not, and how to mend it. */
import { styleText } from 'node:util';
import type { Context } from '../context.ts';
import type { Check } from '../doctor/check.ts';
import { checkEdge } from '../doctor/edge.ts';
import { checkMachine } from '../doctor/machine.ts';
import { EXIT } from '../failure.ts';

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' } as const satisfies Record<
  Check['status'],
  string
>;

export async function doctor(context: Context): Promise<number> {
  const checks = (await Promise.all([checkMachine(context.stop), checkEdge(context)])).flat();
  const failed = checks.filter(({ status }) => status === 'fail').length;
  if (context.json) for (const check of checks) console.log(JSON.stringify(check));
  else {
    for (const { check, status, found, mend } of checks) {
      console.log(`${styleText(COLOURS[status], status.padEnd(4))}  ${check.padEnd(8)}  ${found}`);
      if (mend) console.log(`${' '.repeat(16)}${mend}`);
    }
    console.log(failed === 0 ? '\nNothing needs mending.' : `\nTo mend: ${failed}.`);
  }
  return failed === 0 ? EXIT.ok : EXIT.failed;
}
