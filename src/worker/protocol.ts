/**
 * The version of the transcoders' protocol: every answer says what is spoken here, and a request in another version is
 * refused before anything is done, so that its job stays free for a transcoder that is understood.
 */
import { createMiddleware } from 'hono/factory';
import { PROTOCOL_HEADER, PROTOCOLS } from '../contract/transcoder.ts';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

/** A transcoder that says nothing is of the time before it was asked: it speaks 1. */
const UNSAID = '1';

export const withProtocol = createMiddleware<App>(async (c, next) => {
  const spoken = PROTOCOLS.join(', ');
  c.header(PROTOCOL_HEADER, spoken);
  const asked = c.req.header(PROTOCOL_HEADER) ?? UNSAID;
  if (PROTOCOLS.map(String).includes(asked)) return next();
  const detail = `Use a transcoder of a release that speaks ${spoken}, best of the same release as this server.`;
  throw new ProblemError('protocol_unsupported', detail, { [PROTOCOL_HEADER]: spoken });
});
