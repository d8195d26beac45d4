/**
 * Temporary folders. Their names carry the number of the process that made them, so what a killed one left behind can
 * be told from what is in use and is removed by the next start or by `npm run clean`.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './lock.mjs';

export const makeScratch = (purpose) => mkdtempSync(join(tmpdir(), `reelwire-${process.pid}-${purpose}-`));

export const removeScratch = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

/** Removes the folders of processes that are gone and returns their names. */
export function sweepScratch() {
  const left = readdirSync(tmpdir()).filter((name) => {
    const pid = /^reelwire-(\d+)-[a-z]+-/.exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  });
  for (const name of left) removeScratch(join(tmpdir(), name));
  return left;
}
