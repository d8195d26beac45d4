/**
 * Open mode, for development, needs both the variable that only `wrangler dev` reads and a request that was addressed
 * to a loopback name: a page elsewhere that points its own name at this machine does not get in. Everywhere else there
 * is access only by secrets, and one that is missing or empty opens nothing.
 */
import type { Env } from '../../durable/env.ts';
import { ProblemError } from '../problems.ts';

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/** Signs tokens where open mode has no secret. It opens nothing there that is not open, and nothing elsewhere. */
const OPEN_SECRET = 'open mode';

export const isLoopback = (request: Request): boolean => LOOPBACK.test(request.headers.get('Host') ?? '');

export const isOpenMode = (env: Env, request: Request): boolean => env.REELWIRE_OPEN === '1' && isLoopback(request);

/** The first one signs; all of them verify. Refuses where there is none to sign with. */
export function tokenSecrets(env: Env, isOpen: boolean): readonly [string, ...string[]] {
  const current = env.TOKEN_SECRET || (isOpen ? OPEN_SECRET : '');
  if (current === '') throw closed(env, 'TOKEN_SECRET');
  return env.TOKEN_SECRET_PREVIOUS ? [current, env.TOKEN_SECRET_PREVIOUS] : [current];
}

/** `secret`: the one that is missing here. */
export const closed = (env: Env, secret: 'TOKEN_SECRET' | 'TRANSCODER_TOKEN'): ProblemError =>
  new ProblemError(
    'access_closed',
    env.REELWIRE_OPEN === '1'
      ? `This server is open only to what is addressed to localhost or 127.0.0.1. Use such an address, or set ${secret}.`
      : `No access is configured here. Set ${secret}, or REELWIRE_OPEN=1 in .dev.vars on your own machine, and restart.`,
  );

let told = false;

/** Once in the life of an isolate. */
export function tellOpenMode(): void {
  if (told) return;
  told = true;
  const what = 'everybody who reaches this machine by a loopback name may do everything';
  console.warn(JSON.stringify({ msg: `OPEN MODE: ${what}`, hint: 'see docs/access.md' }));
}
