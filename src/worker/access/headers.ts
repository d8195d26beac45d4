/**
 * What every answer carries for browsers. Pages elsewhere may read answers only from the origins that are allowed
 * (ALLOWED_ORIGINS; in open mode from any), and never with our cookies. Nothing is guessed about types, nothing is put
 * into frames, no address (it may hold a token) is handed on to other sites, and pages load only what is ours.
 */
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import type { App } from '../app.ts';
import { isLoopback, isOpenMode } from './open.ts';

const REQUEST = ['Authorization', 'Content-Type', 'Last-Event-ID', 'Idempotency-Key', 'Range', 'If-None-Match'];
const ANSWER = ['ETag', 'Content-Range', 'Retry-After', 'X-Request-Id'];

const TUS_REQUEST = [
  ...['Tus-Resumable', 'Upload-Length', 'Upload-Defer-Length', 'Upload-Offset', 'Upload-Metadata', 'Upload-Checksum'],
  ...['X-HTTP-Method-Override', 'X-Requested-With', 'X-Request-ID'],
];
const TUS_ANSWER = [
  ...['Location', 'Upload-Length', 'Upload-Defer-Length', 'Upload-Offset', 'Upload-Metadata', 'Upload-Expires'],
  ...['Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size', 'Tus-Checksum-Algorithm'],
];

export const withCors = createMiddleware<App>((c, next) => {
  const allowed = (c.env.ALLOWED_ORIGINS ?? '').split(',').map((origin) => origin.trim());
  return cors({
    origin: isOpenMode(c.env, c.req.raw)
      ? '*'
      : (origin) => (origin !== '' && allowed.includes(origin) ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    allowHeaders: [...REQUEST, ...TUS_REQUEST],
    exposeHeaders: [...ANSWER, ...TUS_ANSWER],
    maxAge: 86_400,
  })(c, next);
});

/** hls.js plays from blobs and works in a worker that it makes of one. */
const PAGE_POLICY = [
  "default-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export const withSecurityHeaders = createMiddleware<App>(async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('X-Content-Type-Options', 'nosniff');
  const policy = headers.get('Content-Security-Policy');
  if (!policy?.includes('frame-ancestors *')) headers.set('X-Frame-Options', 'DENY');
  headers.set('Referrer-Policy', 'no-referrer');
  if (!isLoopback(c.req.raw)) headers.set('Strict-Transport-Security', 'max-age=31536000');
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
  const isPage = headers.get('Content-Type')?.startsWith('text/html') ?? false;
  if (isPage && policy === null) headers.set('Content-Security-Policy', PAGE_POLICY);
});

/** Path or message without what opens something: keys, and tokens wherever they stand. */
export const withoutSecrets = (text: string): string =>
  text
    .replace(/(\/play\/+)[^/\s]+/gi, '$1***')
    .replace(/\brw_\w+/g, 'rw_***')
    .replace(/\beyJ[\w-]*\.[\w-]+\.?[\w-]*/g, '***');
