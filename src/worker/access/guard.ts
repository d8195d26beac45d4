/**
 * The one door: which route a request has found, who asks, and whether the table lets them. In open mode it lets
 * everybody, and only notes who they say they are. Transcoders have a secret of their own, which two may share while
 * it is being changed; once it is set, open mode asks for it too.
 */
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import { Role } from '../../contract/access.ts';
import type { App } from '../app.ts';
import { jobNotFound } from '../job-object.ts';
import { ProblemError } from '../problems.ts';
import { identify, unauthorized } from './credentials.ts';
import { countRequest } from './limits.ts';
import { closed, isOpenMode, tellOpenMode, tokenSecrets } from './open.ts';
import { jobInPath, NOBODY, type Principal } from './principal.ts';
import { isSame } from './same.ts';
import { ACCESS, UNCOUNTED, type Who } from './table.ts';

export const withAccess = createMiddleware<App>(async (c, next) => {
  const isOpen = isOpenMode(c.env, c.req.raw);
  c.set('isOpen', isOpen);
  const route = routeOf(c);
  const who = route === null ? [] : ACCESS[route];
  if (who?.includes('transcoder')) {
    await admitTranscoder(c, isOpen);
  } else {
    tokenSecrets(c.env, isOpen);
    if (isOpen) tellOpenMode();
    if (!who) throw new ProblemError('forbidden', 'Nothing says who may use this route, so nobody may.');
    if (route !== null) await admit(c, route, who);
  }
  await next();
});

/** The route as it was registered: `GET /jobs/:id`; null if the address is none. */
function routeOf(c: Context<App>): string | null {
  const route = matchedRoutes(c).find(({ method }) => method !== 'ALL');
  return route ? `${route.method} ${route.path}` : null;
}

async function admit(c: Context<App>, route: string, who: readonly Who[]): Promise<void> {
  if (c.get('isOpen')) return c.set('principal', await identify(c, route).catch(nobodyIfRefused));
  const principal = who.includes('anyone') ? NOBODY : await identify(c, route);
  c.set('principal', principal);
  if (!UNCOUNTED.includes(route)) await countRequest(c, principal);
  if (!who.includes('anyone')) refuseUnlessAllowed(c, route, who, principal);
}

function nobodyIfRefused(error: unknown): Principal {
  if (error instanceof ProblemError) return NOBODY;
  throw error;
}

function refuseUnlessAllowed(c: Context<App>, route: string, who: readonly Who[], principal: Principal): void {
  if (principal.kind === 'nobody') throw unauthorized('Send a key or a token as a bearer token.', 'Bearer');
  if (principal.kind === 'job' && route.includes(' /jobs/:id') && jobInPath(c) !== principal.job_id)
    throw jobNotFound();
  if (!allows(who, principal)) throw new ProblemError('forbidden', `This is for ${inWords(who)}.`);
}

function allows(who: readonly Who[], principal: Principal): boolean {
  switch (principal.kind) {
    case 'key':
      return who.includes(principal.role);
    case 'job':
      return principal.scopes.some((scope) => who.includes(scope));
    case 'upload':
      return who.includes('upload');
    case 'nobody':
      return false;
    default:
      return principal satisfies never;
  }
}

const inWords = (who: readonly Who[]): string =>
  who.map((one) => `${one} ${Role.safeParse(one).success ? 'keys' : 'tokens'}`).join(', ') || 'nobody';

/** In open mode a token is needed only if one is set. An empty secret is a missing one. */
async function admitTranscoder(c: Context<App>, isOpen: boolean): Promise<void> {
  const tokens = [c.env.TRANSCODER_TOKEN, c.env.TRANSCODER_TOKEN_PREVIOUS].filter((token) => !!token);
  if (tokens.length === 0) {
    if (!isOpen) throw closed(c.env, 'TRANSCODER_TOKEN');
    return;
  }
  const given = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '')?.[1] ?? '';
  const matches = await Promise.all(tokens.map((token) => isSame(given, token ?? '')));
  if (!matches.includes(true)) {
    throw unauthorized(
      'Send the transcoder token of this server as a bearer token: compare TRANSCODER_TOKEN.',
      'Bearer',
    );
  }
}
