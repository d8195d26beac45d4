/** Where things are. Everything is found from this file's own place, so a command works from any folder. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** `STATE_DIR` as an absolute path; a relative one starts at the repository. */
export const stateDir = (env = process.env) => resolve(ROOT, env.STATE_DIR || join('.wrangler', 'state'));

/** The lock that says who runs a service on a state folder. */
export const stateLock = (folder) => join(folder, 'reelwire.lock');
