/**
 * Who may in. Everything is closed unless something opens it. Open mode, for development, needs both the variable
 * that only `wrangler dev` reads and a request that was addressed to a loopback name: a page elsewhere that points its
 * own name at this machine does not get in. Transcoders come with a bearer token.
 */
import { createMiddleware } from 'hono/factory';
import type { Env } from '../durable/env.ts';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const isOpen = (env: Env, request: Request): boolean =>
  env.REELWIRE_OPEN === '1' && LOOPBACK.test(request.headers.get('Host') ?? '');

const closed = (): ProblemError =>
  new ProblemError(
    'access_closed',
    'No access is configured here. For development, run `npx wrangler dev` and use localhost.',
  );

export const withOpenAccess = createMiddleware<App>(async (c, next) => {
  if (!isOpen(c.env, c.req.raw)) throw closed();
  await next();
});

/** In open mode a token is needed only if one is set. */
export const withTranscoder = createMiddleware<App>(async (c, next) => {
  // An empty secret is a missing one.
  const tokens = [c.env.TRANSCODER_TOKEN, c.env.TRANSCODER_TOKEN_PREVIOUS].filter((token) => !!token);
  if (tokens.length === 0) {
    if (!isOpen(c.env, c.req.raw)) throw closed();
    return next();
  }
  const given = /^Bearer (\S+)$/.exec(c.req.header('Authorization') ?? '')?.[1] ?? '';
  const matches = await Promise.all(tokens.map((token) => isSame(given, token ?? '')));
  if (!matches.includes(true)) {
    throw new ProblemError('unauthorized', 'Send the transcoder token as a bearer token.', {
      'WWW-Authenticate': 'Bearer',
    });
  }
  await next();
});

/** In constant time, whatever the lengths. */
async function isSame(a: string, b: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const [left, right] = await Promise.all([digest(a), digest(b)]);
  return crypto.subtle.timingSafeEqual(left, right);
}
