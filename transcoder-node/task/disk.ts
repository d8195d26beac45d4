/** Room on the disk: asked for before anything is fetched, because a full disk in the middle helps nobody. */
import { statfs } from 'node:fs/promises';
import { TaskFailure } from '../errors.ts';
import { DISK_FACTOR } from '../limits.ts';

export async function needRoom(folder: string, sourceBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= sourceBytes * DISK_FACTOR) return;
  throw new TaskFailure('no_space', 'The transcoder has not enough free disk space for this file.');
}
