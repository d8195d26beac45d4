/**
 * `npm run clean`: forgets all local jobs. Removes what the service and wrangler keep in STATE_DIR (by name: the folder
 * may hold other things) and temporary folders that killed runs left behind. Needs nothing installed.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { acquire, LockHeld } from './lock.mjs';
import { stateDir, stateLock } from './paths.mjs';
import { sweepScratch } from './scratch.mjs';

const OURS = /^(v3|registry|edge\.log|transcoder-\d+\.log|reelwire\.lock.*)$/;

function clean(folder) {
  if (!existsSync(folder)) return `${folder} does not exist: nothing to remove.`;
  const lock = acquire(stateLock(folder));
  try {
    for (const name of readdirSync(folder)) {
      if (OURS.test(name) && join(folder, name) !== stateLock(folder)) {
        rmSync(join(folder, name), { recursive: true, force: true });
      }
    }
  } finally {
    lock.release();
  }
  const rest = readdirSync(folder);
  if (rest.length > 0) return `Removed the local jobs. Left in ${folder}, because it is not ours: ${rest.join(', ')}`;
  rmdirSync(folder);
  return `Removed ${folder} and the jobs in it.`;
}

try {
  console.log(clean(stateDir()));
  const swept = sweepScratch();
  if (swept.length > 0) console.log(`Removed ${swept.length} temporary folder(s) of runs that were killed.`);
} catch (error) {
  if (!(error instanceof LockHeld)) throw error;
  console.error(
    `${stateDir()} is in use by process ${error.holder.pid}. Stop that Reelwire first (Ctrl-C in its terminal, or kill ${error.holder.pid}), then run this again.`,
  );
  process.exitCode = 1;
}
