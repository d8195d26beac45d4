/**
 * Reads vitest's JSON report. What the numbers of tests do not show counts as a failure of its own: a file that could
 * not be loaded, a run without a single test, an error outside of any test (the exit code says it), a missing report.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { NOTHING, type Tally } from './tally.ts';

const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

export async function readReport(path: string, exitCode: number): Promise<Tally> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text === null ? { ...NOTHING, failed: 1 } : tallyOf(JSON.parse(text), exitCode);
}

export function tallyOf(report: unknown, exitCode: number): Tally {
  const read = Report.parse(report);
  const broken = read.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const tally = {
    passed: read.numPassedTests,
    failed: read.numFailedTests + broken.length,
    skipped: read.numPendingTests + read.numTodoTests,
  };
  const unexplained = tally.failed === 0 && (exitCode !== 0 || tally.passed === 0);
  return unexplained ? { ...tally, failed: 1 } : tally;
}
