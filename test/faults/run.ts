/**
 * `npm run faults [-- --rounds N] [--seed S] [--json]`: plays N rounds (100) of faults against the real system, and ends
 * with 0 only if nothing was lost. Without a seed one is made up; it is said, so that every round can be played again.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { main, Refusal } from '../../tools/main.ts';

const USAGE = 'Usage: npm run faults [-- --rounds N] [--seed S] [--json]';
/** Much of a round is waiting. */
const PARALLEL = 2;

/** wrangler reads them when it is loaded: it shall only speak of errors, and to nobody else. */
const QUIET = {
  WRANGLER_LOG: 'error',
  WRANGLER_WRITE_LOGS: 'false',
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
};

const Options = z.object({
  rounds: z.coerce.number().pipe(z.int().min(1)).default(100),
  seed: z.coerce
    .number()
    .pipe(
      z
        .int()
        .min(0)
        .max(2 ** 31 - 1),
    )
    .optional(),
  json: z.boolean().default(false),
});

function readOptions(args: string[]): z.infer<typeof Options> {
  try {
    const options = { rounds: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean' } } as const;
    return Options.parse(parseArgs({ args, options }).values);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : error;
    throw new Refusal(`${why instanceof Error ? why.message : why}\n${USAGE}`, 2);
  }
}

await main(async (stop) => {
  const { rounds, seed = randomInt(2 ** 30), json } = readOptions(process.argv.slice(2));
  Object.assign(process.env, QUIET);
  const { lossText, roundText, summaryJson, summaryText } = await import('./report.ts');
  const { playRounds } = await import('./rounds.ts');
  const say = (line: string) => (json ? console.error(line) : console.log(line));
  say(`${rounds} rounds from seed ${seed}`);
  const summary = await playRounds({
    ...{ rounds, seed, parallel: PARALLEL, stop },
    onRound: (round, played) => {
      say(`${String(played).padStart(String(rounds).length)}/${rounds} ${roundText(round)}`);
      for (const line of lossText(round)) say(line);
    },
  });
  for (const line of json ? [summaryJson(summary)] : summaryText(summary)) console.log(line);
  return summary.lost.length > 0 ? 1 : 0;
});
