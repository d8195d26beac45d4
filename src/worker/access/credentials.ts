/**
 * From what a request shows to who it is from. There is one place for each credential: a key only in the Authorization
 * header, a token there, or in the query of a stream, or in the path of what is played, or in a cookie of ours. What
 * stands in another place is not looked at. The header alone counts where it is given.
 */
import type { Context } from 'hono';
import { KEY_PREFIX } from '../../contract/access.ts';
import type { App } from '../app.ts';
import { findKey, findKeyById } from '../keys.ts';
import { ProblemError } from '../problems.ts';
import { readToken } from '../tokens.ts';
import { playCookie, refuseOtherOrigins, sessionCookie } from './cookies.ts';
import { countFailedSignIn } from './limits.ts';
import { jobInPath, NOBODY, type Principal } from './principal.ts';
import { OUTPUTS, PLAY, WITH_TOKEN_IN_QUERY } from './table.ts';

const SAFE = ['GET', 'HEAD'];

/** Who asks; nobody if nothing was shown. Refuses what is shown and not valid. */
export async function identify(c: Context<App>, route: string): Promise<Principal> {
  if (route === PLAY) return bearerOf(c, c.req.path.split('/')[2] ?? '');
  const authorization = c.req.header('Authorization');
  if (authorization !== undefined) return fromHeader(c, authorization);
  const inQuery = WITH_TOKEN_IN_QUERY.includes(route) ? c.req.query('token') : undefined;
  if (inQuery !== undefined) return bearerOf(c, inQuery);
  return fromCookies(c, route);
}

async function fromHeader(c: Context<App>, authorization: string): Promise<Principal> {
  const [, bearer = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (!bearer.startsWith(KEY_PREFIX)) return bearerOf(c, bearer);
  const key = await findKey(c, bearer);
  if (key) return key;
  await countFailedSignIn(c);
  throw unauthorized('There is no such key, or it has been revoked.');
}

/** Who bears a token may do what it says. */
async function bearerOf(c: Context<App>, token: string): Promise<Principal> {
  const claims = await readToken(c, token);
  if (claims?.aud === 'job') return { kind: 'job', job_id: claims.sub, scopes: claims.scopes };
  if (claims?.aud === 'upload') return { kind: 'upload', claims };
  throw unauthorized('The token is not valid here, or has expired. Ask for another one.');
}

/**
 * A cookie that is not valid any more is as good as none. A player comes with the session as well, hundreds of times;
 * its own cookie asks nobody and goes first where it plays.
 */
async function fromCookies(c: Context<App>, route: string): Promise<Principal> {
  const play = await readToken(c, playCookie(c) ?? '');
  const player: Principal = play?.aud === 'job' ? { kind: 'job', job_id: play.sub, scopes: play.scopes } : NOBODY;
  if (player.kind === 'job' && route === OUTPUTS && player.job_id === jobInPath(c)) return player;
  const session = await readToken(c, sessionCookie(c) ?? '');
  const key = session?.aud === 'session' ? await findKeyById(c, session.sub) : null;
  if (!key) return player;
  if (!SAFE.includes(c.req.method)) refuseOtherOrigins(c);
  return key;
}

export const unauthorized = (detail: string, challenge = 'Bearer error="invalid_token"'): ProblemError =>
  new ProblemError('unauthorized', detail, { 'WWW-Authenticate': challenge });
