/** Keys: made, used, listed, revoked; what they are called in the log of a job, and what of its log they see. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { ApiKey, NewApiKey } from '../../src/contract/access.ts';
import { Entry } from '../../src/contract/entries.ts';
import { app } from '../../src/worker/app.ts';
import { bearer, betrayed, call, deploy, env, linesWith, newJob, newKey, ORIGIN, secret, send } from './closed.ts';
import { problemOf } from './edge.ts';

let admin = '';
beforeAll(async () => {
  await deploy();
  admin = (await newKey('admin')).key;
});

const made = async (name: string, role: string): Promise<NewApiKey> => {
  const answer = await send('/keys', admin, { name, role });
  expect(answer.status).toBe(201);
  const key = NewApiKey.parse(await answer.json());
  secret(key.key);
  return key;
};

const listed = async (): Promise<ApiKey[]> => {
  const answer = await call('/keys', { headers: bearer(admin) });
  return z.object({ keys: z.array(ApiKey) }).parse(await answer.json()).keys;
};

const events = async (job: string, key: string): Promise<Entry[]> => {
  const answer = await call(`/jobs/${job}/events`, { headers: bearer(key) });
  return z.object({ events: z.array(Entry) }).parse(await answer.json()).events;
};

test('a key works from the moment it is made, and is told only then', async () => {
  const { id, key, ...rest } = await made('ci-bot', 'submit');
  expect(rest).toMatchObject({ name: 'ci-bot', role: 'submit', last_used_at: null, revoked_at: null });
  expect((await call('/jobs', { headers: bearer(key) })).status).toBe(200);
  const answer = await (await call('/keys', { headers: bearer(admin) })).text();
  expect(answer).toContain(id);
  expect(answer).not.toContain(key.slice(-20));
  const { results } = await env.DB.prepare('SELECT * FROM api_keys').all();
  expect(JSON.stringify(results)).not.toContain(key.slice(-20));
});

test('a revoked key opens nothing any more; revoking it again changes nothing', async () => {
  const { id, key } = await made('old-bot', 'admin');
  expect((await call('/keys', { headers: bearer(key) })).status).toBe(200);
  const revoke = async () => ApiKey.parse(await (await send(`/keys/${id}`, admin, {}, 'DELETE')).json()).revoked_at;
  const at = await revoke();
  expect(at).not.toBeNull();
  expect(await problemOf(await call('/keys', { headers: bearer(key) }))).toMatchObject({ code: 'unauthorized' });
  expect(await revoke()).toBe(at);
  expect((await listed()).find((one) => one.id === id)?.revoked_at).toBe(at);
});

test('a key that is not there cannot be revoked', async () => {
  for (const id of ['000000000000', 'x', "' OR 1=1 --"]) {
    const answer = await send(`/keys/${encodeURIComponent(id)}`, admin, {}, 'DELETE');
    expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'key_not_found' });
  }
  expect((await listed()).some(({ revoked_at }) => revoked_at === null)).toBe(true);
});

test.each([
  [
    { name: 'x', role: 'owner' },
    { name: 'x', role: 'read' },
  ],
  [
    { name: '', role: 'read' },
    { name: 'ä 1', role: 'read' },
  ],
  [
    { name: 'a\nb', role: 'read' },
    { name: 'a.b', role: 'read' },
  ],
  [
    { name: "a'b", role: 'read' },
    { name: 'a_b', role: 'read' },
  ],
  [
    { name: 'x'.repeat(65), role: 'read' },
    { name: 'x'.repeat(64), role: 'read' },
  ],
  [
    { name: 'x', role: 'read', hash: 'mine' },
    { name: 'x', role: 'submit' },
  ],
])('%j makes no key, %j does', async (bad, good) => {
  const answer = await send('/keys', admin, bad);
  expect(await problemOf(answer)).toMatchObject({ status: 400, code: 'invalid_request' });
  await made(good.name, good.role);
});

test('what is almost a key is none', async () => {
  const { key } = await made('exact', 'read');
  const almost = [key.slice(0, -1), `${key}0`, key.toUpperCase(), `${key.slice(0, -1)}x`, key.replace('rw_', 'rw-')];
  const swapped = [
    `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`,
    (await made('other', 'read')).key.slice(0, 15) + key.slice(15),
  ];
  for (const one of [...almost, ...swapped]) {
    expect([one, (await call('/jobs', { headers: bearer(one) })).status]).toEqual([one, 401]);
  }
  for (const header of [`Bearer ${key}`, `bearer ${key}`]) {
    expect((await call('/jobs', { headers: { Authorization: header } })).status).toBe(200);
  }
  for (const header of [key, `Basic ${key}`, `Bearer ${key} x`, 'Bearer']) {
    expect((await call('/jobs', { headers: { Authorization: header } })).status).toBe(401);
  }
});

describe('when a key was last used', () => {
  const usedAt = async (id: string): Promise<string | null | undefined> =>
    (await listed()).find((one) => one.id === id)?.last_used_at;

  test('is noted at most once a minute', async () => {
    const { id, key } = await newKey('read', 'noted');
    const at = async (ms: number): Promise<string | null | undefined> => {
      vi.setSystemTime(ms);
      await call('/health');
      const context = createExecutionContext();
      const request = new Request(`${ORIGIN}/jobs`, { headers: { Host: 'edge.example', ...bearer(key) } });
      expect((await app.fetch(request, env, context)).status).toBe(200);
      await waitOnExecutionContext(context);
      return usedAt(id);
    };
    const begin = Date.now() + 10_000;
    try {
      expect(await at(begin)).toBe(new Date(begin).toISOString());
      expect(await at(begin + 59_000)).toBe(new Date(begin).toISOString());
      expect(await at(begin + 61_000)).toBe(new Date(begin + 61_000).toISOString());
    } finally {
      vi.useRealTimers();
    }
  });
});

test('while the database is away nobody with a key gets in, and is told to try again; a token needs none', async () => {
  const away = { prepare: () => ({ bind: () => ({ first: () => Promise.reject(new Error('D1_ERROR: away')) }) }) };
  const ask = (headers: HeadersInit, DB: unknown) =>
    app.fetch(
      new Request(`${ORIGIN}/jobs/${job}`, { headers: { Host: 'edge.example', ...headers } }),
      { ...env, DB } as typeof env,
      createExecutionContext(),
    );
  const job = await newJob();
  const refused = await ask(bearer(admin), away);
  expect(refused.headers.get('Retry-After')).toBe('5');
  expect(await problemOf(refused)).toMatchObject({ status: 503, code: 'keys_unavailable' });
  expect((await ask(bearer(admin), env.DB)).status).toBe(200);
  const { token } = await (await send(`/jobs/${job}/tokens`, admin, { scopes: ['watch'] })).json<{ token: string }>();
  expect((await ask(bearer(secret(token)), away)).status).toBe(200);
});

test('the log of a job says who did what', async () => {
  const { key } = await made('deploy@ci', 'submit');
  const answer = await call('/process?key=clip', {
    method: 'POST',
    body: 'bytes',
    headers: { ...bearer(key), 'Content-Type': 'application/octet-stream' },
  });
  const { job_id } = await answer.json<{ job_id: string }>();
  await send(`/jobs/${job_id}/cancel`, key, {});
  await send(`/jobs/${job_id}/retry`, admin, {});
  const log = await events(job_id, key);
  const states = log.flatMap((entry) =>
    entry.type === 'state' ? [[entry.data.details.state, entry.data.details.by]] : [],
  );
  expect(states).toEqual([
    ['created', 'key deploy@ci'],
    ['queued', null],
    ['retried', 'key admin-bot'],
    ['queued', null],
  ]);
  const cancelled = log.find((entry) => entry.type === 'cancelled')?.data;
  expect(cancelled).toMatchObject({ message: 'Cancelled by key deploy@ci', details: { by: 'key deploy@ci' } });
});

test('only admin sees the internal entries of a log', async () => {
  const job = await newJob();
  const isInternal = ({ type }: Entry): boolean => type.startsWith('_');
  const [submit, all] = [await events(job, (await newKey('submit')).key), await events(job, admin)];
  expect([submit.length > 0, submit.some(isInternal)]).toEqual([true, false]);
  expect(all.filter((entry) => !isInternal(entry)).map(({ seq }) => seq)).toEqual(submit.map(({ seq }) => seq));
  expect(all[0]?.type).toBe('_job');
});

test('who deletes a job stands in the log of requests', async () => {
  const job = await newJob();
  expect((await send(`/jobs/${job}`, admin, {}, 'DELETE')).status).toBe(202);
  const [line = '{}'] = linesWith(`"method":"DELETE","path":"/jobs/${job}"`);
  expect(JSON.parse(line)).toMatchObject({ msg: 'request', status: 202, by: 'key admin-bot' });
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(20);
});
