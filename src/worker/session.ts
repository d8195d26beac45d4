/**
 * The web app signs in with a key. What the browser keeps of it is a token in a cookie that no script can read, good
 * for the key as long as that is: it is looked up with every request, so revoking the key ends its sessions.
 */
import { Hono } from 'hono';
import { type Session, SessionRequest, type WhoAmI } from '../contract/access.ts';
import { deleteSessionCookie, refuseOtherOrigins, setSessionCookie } from './access/cookies.ts';
import { identify, unauthorized } from './access/credentials.ts';
import { countFailedSignIn } from './access/limits.ts';
import type { App } from './app.ts';
import { findKey } from './keys.ts';
import { parse } from './problems.ts';
import { json } from './queue-api.ts';
import { makeToken } from './tokens.ts';

const SECONDS = 7 * 86_400;

export const session = new Hono<App>()
  .use(async (c, next) => {
    // A page of another site must not sign anybody in or out.
    if (c.req.header('Origin') !== undefined) refuseOtherOrigins(c);
    await next();
  })
  .get('/', async (c) => {
    if (c.get('isOpen')) return c.json({ mode: 'open', name: null, role: 'admin' } satisfies WhoAmI);
    const who = await identify(c, 'GET /session');
    const { name, role } = who.kind === 'key' ? who : { name: null, role: null };
    return c.json({ mode: 'keys', name, role } satisfies WhoAmI);
  })
  .post('/', async (c) => {
    const { key } = parse(SessionRequest, await json(c));
    const found = await findKey(c, key);
    if (!found) {
      await countFailedSignIn(c);
      throw unauthorized('There is no such key, or it has been revoked.');
    }
    const { id, name, role } = found;
    const { token, expires_at } = await makeToken(c, { aud: 'session', sub: id }, SECONDS);
    setSessionCookie(c, token, SECONDS);
    return c.json({ name, role, expires_at } satisfies Session);
  })
  .delete('/', (c) => {
    deleteSessionCookie(c);
    return c.body(null, 204);
  });
