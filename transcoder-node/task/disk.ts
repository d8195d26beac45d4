/** Room on the disk: asked for before it is used, because a full disk in the middle helps nobody. */
import { statfs } from 'node:fs/promises';
import { TaskFailure } from '../errors.ts';

export async function needRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new TaskFailure('no_space', 'The transcoder has not enough free disk space for this file.');
}
