/**
 * This process's work folder, `reelwire-<machine>-<pid>-XXXXXX`, and a folder in it for each task. What killed processes
 * left behind is removed at the next start. On its own machine the pid tells whether an owner still lives. Where machines
 * or containers share a folder it tells nothing, so owners touch theirs now and then, and one that nobody has touched
 * for long is nobody's.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const NAME = /^reelwire-([0-9a-f]{8})-(\d+)-\w{6}$/;

const TOUCH_MS = 60_000;
const UNTOUCHED_MS = 3_600_000;

export interface WorkFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function openWorkFolder(parent: string): Promise<WorkFolder> {
  await mkdir(parent, { recursive: true });
  const own = machine();
  for (const name of await readdir(parent)) {
    const [, of, pid] = NAME.exec(name) ?? [];
    const path = join(parent, name);
    const isLeft = of === own ? Number(pid) === process.pid || !isAlive(Number(pid)) : await isUntouched(path);
    // Somebody else's may not be ours to remove.
    if (pid && isLeft) await removeFolder(path).catch(() => undefined);
  }
  const path = await mkdtemp(join(parent, `reelwire-${own}-${process.pid}-`));
  const touching = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  touching.unref();
  return {
    path,
    remove: () => {
      clearInterval(touching);
      return removeFolder(path);
    },
  };
}

export const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });

/** Stands for all processes whose pids can be told apart: this boot of this machine, and its namespace of pids. */
function machine(): string {
  const parts = [
    hostname,
    () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'),
    () => readlinkSync('/proc/self/ns/pid'),
  ];
  const known = parts.map((part) => {
    try {
      return part();
    } catch {
      return '';
    }
  });
  return createHash('sha256').update(known.join()).digest('hex').slice(0, 8);
}

async function isUntouched(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > UNTOUCHED_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
