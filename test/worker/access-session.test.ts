/** The session of the web app: a key becomes a cookie, which pages of other sites cannot make use of. */
import { createExecutionContext } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import { Session } from '../../src/contract/access.ts';
import { app } from '../../src/worker/app.ts';
import {
  bearer,
  betrayed,
  call,
  deploy,
  env,
  newJob,
  newKey,
  ORIGIN,
  playableJob,
  SEGMENT,
  secret,
  send,
} from './closed.ts';
import { problemOf } from './edge.ts';

beforeAll(deploy);

const signIn = (key: string, headers: Record<string, string> = { Origin: ORIGIN }, host?: string): Promise<Response> =>
  call('/session', { method: 'POST', body: JSON.stringify({ key }), headers }, host);

/** `name=value`. */
function cookieOf(answer: Response): { cookie: string; attributes: string[] } {
  const [cookie = '', ...attributes] = (answer.headers.get('Set-Cookie') ?? '').split('; ');
  secret(cookie.split('=')[1] || 'no cookie');
  return { cookie, attributes: attributes.sort() };
}

describe('signing in', () => {
  test('turns a key into a cookie that no script and no other site can use', async () => {
    const { key } = await newKey('submit', 'a person');
    const answer = await signIn(key);
    expect([answer.status, Session.parse(await answer.json())]).toMatchObject([
      200,
      { name: 'a person', role: 'submit' },
    ]);
    const { cookie, attributes } = cookieOf(answer);
    expect(cookie).toMatch(/^__Host-reelwire_session=/);
    expect(attributes).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Strict', 'Secure'].sort());
    expect(cookie).not.toContain(key);
    expect((await call('/jobs', { headers: { Cookie: cookie } })).status).toBe(200);
    expect((await call('/keys', { headers: { Cookie: cookie } })).status).toBe(403);
    expect((await call('/jobs')).status).toBe(401);
  });

  test('works over plain HTTP on this machine only', async () => {
    const { key } = await newKey('read');
    const { cookie, attributes } = cookieOf(await signIn(key, {}, 'localhost:8787'));
    expect(attributes).not.toContain('Secure');
    expect((await call('/jobs', { headers: { Cookie: cookie } }, 'localhost:8787')).status).toBe(200);
    expect((await call('/jobs', { headers: { Cookie: cookie } })).status).toBe(401);
  });

  test.each(['', 'rw_', 'nonsense', `rw_000000000000_${'0'.repeat(48)}`])('is refused with the key %j', async (key) => {
    const answer = await signIn(key);
    expect(answer.headers.get('Set-Cookie')).toBeNull();
    expect(await problemOf(answer)).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  test.each(['https://evil.example', 'http://edge.example', 'null'])('is refused from a page of %s', async (Origin) => {
    const { key } = await newKey('read');
    expect(await problemOf(await signIn(key, { Origin }))).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await signIn(key)).status).toBe(200);
  });
});

describe('a session', () => {
  test('changes something only for a page of ours; a key does so from anywhere', async () => {
    const { key } = await newKey('submit');
    const { cookie } = cookieOf(await signIn(key));
    const job = await newJob();
    const cancel = (headers: Record<string, string>) =>
      call(`/jobs/${job}/cancel`, { method: 'POST', headers: { ...headers } });
    for (const Origin of ['https://evil.example', 'https://edge.example:8443', 'null', '']) {
      expect(await problemOf(await cancel({ Cookie: cookie, Origin }))).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    }
    expect((await cancel({ Cookie: cookie })).status).toBe(403);
    expect((await cancel({ ...bearer(key), Origin: 'https://evil.example' })).status).toBe(202);
    expect((await cancel({ Cookie: cookie, Origin: ORIGIN })).status).toBe(202);
  });

  test('ends with its key', async () => {
    const [{ id, key }, admin] = [await newKey('read'), await newKey('admin')];
    const { cookie } = cookieOf(await signIn(key));
    expect((await call('/jobs', { headers: { Cookie: cookie } })).status).toBe(200);
    await call(`/keys/${id}`, { method: 'DELETE', headers: bearer(admin.key) });
    expect((await call('/jobs', { headers: { Cookie: cookie } })).status).toBe(401);
  });

  test('is ended by signing out, which needs nothing', async () => {
    const answer = await call('/session', { method: 'DELETE', headers: { Origin: ORIGIN } });
    expect([answer.status, answer.headers.get('Set-Cookie')]).toEqual([
      204,
      '__Host-reelwire_session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict',
    ]);
    const elsewhere = { method: 'DELETE', headers: { Origin: 'https://evil.example' } };
    expect((await call('/session', elsewhere)).status).toBe(403);
  });

  test('is no bearer token, and its key no cookie', async () => {
    const { key } = await newKey('read');
    const { cookie } = cookieOf(await signIn(key));
    expect((await call('/jobs', { headers: bearer(cookie.split('=')[1] ?? '') })).status).toBe(401);
    expect((await call('/jobs', { headers: { Cookie: `__Host-reelwire_session=${key}` } })).status).toBe(401);
    expect((await call('/jobs', { headers: { Cookie: cookie } })).status).toBe(200);
  });

  test('does not count where another credential is given', async () => {
    const { cookie } = cookieOf(await signIn((await newKey('read')).key));
    expect((await call('/jobs', { headers: { Cookie: cookie, ...bearer('nonsense') } })).status).toBe(401);
  });
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(20);
});

test('beside a cookie for playing, a session asks no database for every segment; alone it does', async () => {
  const { key } = await newKey('read');
  const { cookie } = cookieOf(await signIn(key));
  const job = await playableJob();
  const answer = await send(`/jobs/${job}/tokens`, key, { scopes: ['play'], cookie: true });
  const { cookie: play } = cookieOf(answer);
  const ask = async (Cookie: string): Promise<number> => {
    const request = new Request(`${ORIGIN}/jobs/${job}/outputs/${SEGMENT}`, {
      headers: { Host: 'edge.example', Cookie },
    });
    const away = { prepare: () => ({ bind: () => ({ first: () => Promise.reject(new Error('D1_ERROR: away')) }) }) };
    return (await app.fetch(request, { ...env, DB: away } as unknown as typeof env, createExecutionContext())).status;
  };
  expect(await ask(`${cookie}; ${play}`)).toBe(200);
  expect(await ask(cookie)).toBe(503);
});
