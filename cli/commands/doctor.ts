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
  const failed = countOf(checks, 'fail');
  if (context.json) for (const check of checks) console.log(JSON.stringify(check));
  else {
    for (const { check, status, found, mend } of checks) {
      console.log(`${styleText(COLOURS[status], status.padEnd(4))}  ${check.padEnd(8)}  ${found}`);
      if (mend) console.log(`${' '.repeat(16)}${mend}`);
    }
    console.log(`\n${verdict(failed, countOf(checks, 'warn'))}`);
  }
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

const countOf = (checks: readonly Check[], wanted: Check['status']): number =>
  checks.filter(({ status }) => status === wanted).length;

export function verdict(failed: number, warned: number): string {
  const rest = warned === 0 ? '' : ` Warnings: ${warned}.`;
  return `${failed > 0 ? `To mend: ${failed}.` : warned > 0 ? 'It works.' : 'Nothing needs mending.'}${rest}`;
}
