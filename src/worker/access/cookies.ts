/**
 * The two cookies, both out of reach of scripts and of other sites: the session of the web app, and the right to play
 * one job, which the browser sends to that job's outputs only. A loopback address has no TLS, so there they are not
 * marked Secure. What comes with a cookie and changes something must come from a page of ours.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { CookieOptions } from 'hono/utils/cookie';
import { outputPath } from '../../contract/ids.ts';
import type { App } from '../app.ts';
import { ProblemError } from '../problems.ts';
import { isLoopback } from './open.ts';

const SESSION = 'reelwire_session';
const PLAY = 'reelwire_play';

const isSecure = (c: Context<App>): boolean => !isLoopback(c.req.raw);

/** With TLS the name itself says that no other host has set it. */
const sessionPrefix = (c: Context<App>) => (isSecure(c) ? 'host' : undefined);

const options = (c: Context<App>): CookieOptions & { path: string } => ({
  httpOnly: true,
  sameSite: 'Strict',
  secure: isSecure(c),
  path: '/',
});

export const sessionCookie = (c: Context<App>): string | undefined => getCookie(c, SESSION, sessionPrefix(c));

export const playCookie = (c: Context<App>): string | undefined => getCookie(c, PLAY);

export function setSessionCookie(c: Context<App>, token: string, seconds: number): void {
  setCookie(c, SESSION, token, { ...options(c), maxAge: seconds, ...prefixed(c) });
}

export function deleteSessionCookie(c: Context<App>): void {
  deleteCookie(c, SESSION, { ...options(c), ...prefixed(c) });
}

export function setPlayCookie(c: Context<App>, job_id: string, token: string, seconds: number): void {
  const path = outputPath(job_id, '').slice(0, -1);
  setCookie(c, PLAY, token, { ...options(c), path, maxAge: seconds });
}

function prefixed(c: Context<App>): Pick<CookieOptions, 'prefix'> {
  const prefix = sessionPrefix(c);
  return prefix ? { prefix } : {};
}

/** Browsers name the page's origin with everything that is not GET or HEAD. */
export function refuseOtherOrigins(c: Context<App>): void {
  if (c.req.header('Origin') !== new URL(c.req.url).origin) {
    throw new ProblemError('forbidden', 'With a cookie, changes must come from a page of this very origin.');
  }
}
