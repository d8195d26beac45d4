/** The files that are to be uploaded: looked at before anything is sent, so that a wrong name costs nothing. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { Refusal } from '../tools/main.ts';

export interface VideoFile {
  path: string;
  name: string;
  bytes: number;
}

/** `given` as it was typed, `folder` where the user stands, `hint` for what is no video file. */
export function readVideo(given: string, folder: string, hint: string): VideoFile {
  const path = resolve(folder, given);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new Refusal(`There is no file ${given} (looked for ${path}). Check the name.`, 2);
  if (!stat.isFile()) throw new Refusal(`${given} is not a file. ${hint}`, 2);
  if (stat.size === 0) throw new Refusal(`${given} is empty. ${hint}`, 2);
  return { path, name: basename(path), bytes: stat.size };
}

/** `npm run` goes to the repository, and says where the user was. */
export const whereTheUserStands = (env: NodeJS.ProcessEnv = process.env): string =>
  (env.npm_lifecycle_event === 'reelwire' && env.INIT_CWD) || process.cwd();
