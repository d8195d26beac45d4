/**
 * The web app: two pages, and the files they are made of. A page is what a browser gets that goes to an address itself
 * (it asks for HTML); whoever else asks there gets what was there before, a text or JSON. Which of the two is meant is
 * decided before anything else looks at the request. The pages hold nothing of anybody: what they show they ask for,
 * with the rights of who looks at them.
 */
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

const APP = '/index.html';
const PLAYER = '/watch.html';

/** Where the app's page is shown, besides `/watch/:id`, where there is nothing else. */
const SHARED = /^\/(jobs\/[^/]+)?$/;

/** Only what is ours, and no code or style that stands in a page. The player plays from blobs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
];

/** A navigation to an address that the app shares, as the request for its page that it is. */
export function withPageAddress(request: Request): Request {
  const url = new URL(request.url);
  return wantsPage(request) && SHARED.test(url.pathname) ? new Request(new URL(APP, url), request) : request;
}

const wantsPage = ({ method, headers }: Request): boolean =>
  ['GET', 'HEAD'].includes(method) && /\btext\/html\b/i.test(headers.get('Accept') ?? '');

/** For the addresses that a page shares with something else. */
export const variesByAccept = createMiddleware<App>(async (c, next) => {
  await next();
  c.header('Vary', 'Accept', { append: true });
});

export const appPage = (c: Context<App>): Promise<Response> => sendPage(c, APP, "frame-ancestors 'none'");

/** The player alone, for a frame in anybody's page. */
export const watchPage = (c: Context<App>): Promise<Response> => sendPage(c, PLAYER, 'frame-ancestors *');

/** Where nothing is, the app says so to who goes there. */
export async function nothingHere(c: Context<App>): Promise<Response> {
  if (!wantsPage(c.req.raw)) {
    const headers = { Vary: 'Accept' };
    throw new ProblemError('not_found', 'Nothing lives at this address. GET / lists the routes.', headers);
  }
  const page = await sendPage(c, APP, "frame-ancestors 'none'", { method: c.req.method });
  page.headers.delete('ETag');
  return new Response(page.body, { status: 404, headers: page.headers });
}

async function sendPage(
  c: Context<App>,
  path: string,
  ancestors: string,
  as: RequestInit = c.req.raw,
): Promise<Response> {
  const answer = await file(c, path, as);
  answer.headers.set('Cache-Control', 'no-cache');
  answer.headers.append('Vary', 'Accept');
  answer.headers.set('Content-Security-Policy', [...POLICY, ancestors].join('; '));
  return answer;
}

/** Their names hold their hashes. */
export async function asset(c: Context<App>): Promise<Response> {
  const answer = await file(c, c.req.path);
  answer.headers.set('Cache-Control', 'public, max-age=31536000, immutable');
  return answer;
}

async function file(c: Context<App>, path: string, as: RequestInit = c.req.raw): Promise<Response> {
  const { status, body, headers } = await c.env.ASSETS.fetch(new Request(new URL(path, c.req.url), as));
  if (status >= 400) throw new ProblemError('not_found', 'There is no such file here. Load the page again.');
  return new Response(body, { status, headers: new Headers(headers) });
}
