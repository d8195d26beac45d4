/**
 * This process's work folder, `reelwire-<pid>-XXXXXX`, and a folder in it for each task. What killed processes left
 * behind is removed at the next start: the pid in the name tells whether its owner still lives.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^reelwire-(\d+)-\w{6}$/;

export async function openWorkFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const pid = NAME.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) await removeFolder(join(parent, name));
  }
  return mkdtemp(join(parent, `reelwire-${process.pid}-`));
}

export const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
