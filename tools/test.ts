/**
 * `npm test [-- FILTER...]`: everything once, in order, going on after a failure; the last line sums up. With filters,
 * only the tests whose file names match, without the static checks. `npm run test:long` sets REELWIRE_LONG=1.
 */
import { join } from 'node:path';
import { runProgram } from './checks/program.ts';
import { readReport } from './checks/report.ts';
import { SecretWatch } from './checks/secrets.ts';
import { staticChecks } from './checks/static.ts';
import { add, NOTHING, type Tally, verdict } from './checks/tally.ts';
import { main } from './main.ts';
import { ROOT } from './paths.mjs';
import { makeScratch, removeScratch } from './scratch.mjs';

await main(async (stop) => {
  const filters = process.argv.slice(2);
  const scratch = makeScratch('test');
  const failures: string[] = [];
  const secrets = new SecretWatch();
  // Hundreds of Node processes are started below: all but the first find their modules compiled.
  process.env.NODE_COMPILE_CACHE = join(scratch, 'compiled');
  const title = (text: string) => console.log(`\n=== ${text}`);

  const run = async (name: string, program: string, args: string[], count: (code: number) => Promise<Tally>) => {
    title(name);
    const code = await runProgram(program, args, stop, (line) => secrets.look(line));
    const tally = await count(code);
    if (tally.failed > 0) failures.push(name);
    return tally;
  };

  try {
    const { before, after } = filters.length === 0 ? await staticChecks(ROOT, scratch) : { before: [], after: [] };
    const check = async (code: number) => (code === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 });
    let sum = NOTHING;
    for (const { name, program, args } of before) sum = add(sum, await run(name, program, args, check));
    const report = join(scratch, 'vitest.json');
    const vitest = ['run', ...filters, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    sum = add(sum, await run('vitest', 'vitest', vitest, (code) => readReport(report, code)));
    title(`no secret in ${secrets.lines} lines of the log`);
    for (const line of secrets.found) console.log(line);
    // Of a whole run that seems to have logged nothing, nothing was seen.
    const isClean = secrets.found.length === 0 && (secrets.lines > 0 || filters.length > 0);
    if (!isClean) failures.push('no secret in the log');
    sum = add(sum, await check(isClean ? 0 : 1));
    for (const { name, program, args } of after) sum = add(sum, await run(name, program, args, check));

    title(failures.length > 0 ? `Failed: ${failures.join('; ')}` : 'All done');
    const { line, exitCode } = verdict(sum);
    console.log(line);
    return exitCode;
  } finally {
    removeScratch(scratch);
  }
});
