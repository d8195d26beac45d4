/** Where the command keeps what it has to remember from one call to the next. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Uploads that are not finished. */
export const uploadsFile = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'reelwire', 'uploads.json');
