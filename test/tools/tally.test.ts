/** The sum at the end of `npm test`: nothing that failed may look like success. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readReport, tallyOf } from '../../tools/checks/report.ts';
import { add, verdict } from '../../tools/checks/tally.ts';
import { ROOT } from '../../tools/paths.mjs';
import { Running } from './running.ts';

const report = (passed: number, failed = 0, pending = 0, broken = 0) => ({
  ...{ numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: 0 },
  testResults: Array.from({ length: broken }, () => ({ status: 'failed', assertionResults: [] })),
});

it.each([
  ['all passed', report(3), 0, { passed: 3, failed: 0, skipped: 0 }],
  ['some failed and some were skipped', report(3, 2, 1), 1, { passed: 3, failed: 2, skipped: 1 }],
  ['a file could not be loaded', report(3, 0, 0, 1), 1, { passed: 3, failed: 1, skipped: 0 }],
  ['an error outside of any test', report(3), 1, { passed: 3, failed: 1, skipped: 0 }],
  ['no test ran', report(0), 0, { passed: 0, failed: 1, skipped: 0 }],
  ['all were skipped', report(0, 0, 4), 0, { passed: 0, failed: 1, skipped: 4 }],
])('%s', (_, json, exitCode, expected) => {
  expect(tallyOf(json, exitCode)).toEqual(expected);
});

it('counts a missing report as a failure', async () => {
  expect(await readReport(join(tmpdir(), 'there-is-no-such-report.json'), 0)).toEqual({
    passed: 0,
    failed: 1,
    skipped: 0,
  });
});

it.each([
  [{ passed: 2, failed: 0, skipped: 0 }, '2 passed, 0 failed', 0],
  [{ passed: 2, failed: 1, skipped: 3 }, '2 passed, 1 failed, 3 skipped', 1],
  [{ passed: 0, failed: 0, skipped: 0 }, '0 passed, 0 failed', 1],
])('the last line of %o', (tally, line, exitCode) => {
  expect(verdict(tally)).toEqual({ line, exitCode });
  expect(verdict(add(tally, { passed: 0, failed: 1, skipped: 0 })).exitCode).toBe(1);
});

it('reads what vitest writes', async () => {
  const folder = mkdtempSync(join(ROOT, 'node_modules', '.tally-test-'));
  try {
    writeFileSync(
      join(folder, 'a.test.mjs'),
      `import { it } from 'vitest'; it('yes', () => {}); it('no', () => { throw new Error('no'); }); it.skip('later', () => {});`,
    );
    writeFileSync(join(folder, 'b.test.mjs'), `import './there-is-no-such-file.mjs';`);
    writeFileSync(
      join(folder, 'vitest.config.mjs'),
      `export default { test: { include: ['*.test.mjs'], exclude: [] } };`,
    );
    const json = join(folder, 'report.json');
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const args = ['run', '--root', folder, '--reporter=json', `--outputFile=${json}`];
    const code = await new Running(null, [vitest, ...args], {}).exit;
    expect(await readReport(json, Number(code))).toEqual({ passed: 1, failed: 2, skipped: 1 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
