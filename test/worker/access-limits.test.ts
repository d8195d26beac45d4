/** How often one may ask, how many may watch, and what browsers are told about every answer. */
import { createExecutionContext } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import { app } from '../../src/worker/app.ts';
import { bearer, betrayed, call, deploy, env, jobToken, newJob, newKey, ORIGIN, playableJob } from './closed.ts';
import { problemOf } from './edge.ts';
import { EventReader } from './events.ts';

let read = '';
let readId = '';
beforeAll(async () => {
  await deploy();
  ({ key: read, id: readId } = await newKey('read'));
});

/** A limiter that lets so many through, and remembers who was counted. */
function limiter(limit: number): RateLimit & { counted: string[] } {
  const counted: string[] = [];
  return {
    counted,
    limit: async ({ key }) => ({ success: counted.push(key) <= limit }),
  };
}

async function ask(
  path: string,
  settings: object,
  headers: HeadersInit = {},
  init: RequestInit = {},
): Promise<Response> {
  const all = { Host: 'edge.example', 'CF-Connecting-IP': '203.0.113.7', ...headers };
  const request = new Request(new URL(path, ORIGIN), { ...init, headers: all });
  return app.fetch(request, { ...env, ...settings }, createExecutionContext());
}

describe('requests', () => {
  test('of a key are counted by it, others by their address, and too many are told when to come again', async () => {
    const REQUEST_LIMIT = limiter(3);
    expect((await ask('/jobs', { REQUEST_LIMIT }, bearer(read))).status).toBe(200);
    expect((await ask('/health', { REQUEST_LIMIT })).status).toBe(200);
    expect((await ask('/jobs', { REQUEST_LIMIT }, { ...bearer(read), 'CF-Connecting-IP': '203.0.113.8' })).status).toBe(
      200,
    );
    const refused = await ask('/jobs', { REQUEST_LIMIT }, bearer(read));
    expect(refused.headers.get('Retry-After')).toBe('60');
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(REQUEST_LIMIT.counted).toEqual([`key ${readId}`, 'address 203.0.113.7', `key ${readId}`, `key ${readId}`]);
  });

  test('for what players load piece by piece are not counted, nor are those of transcoders', async () => {
    const REQUEST_LIMIT = limiter(0);
    const job = await playableJob();
    const token = await jobToken(job, read);
    expect((await ask(`/play/${token}/master.m3u8`, { REQUEST_LIMIT })).status).toBe(200);
    expect((await ask(`/jobs/${job}/outputs/master.m3u8`, { REQUEST_LIMIT }, bearer(token))).status).toBe(200);
    const headers = bearer(env.TRANSCODER_TOKEN ?? '');
    const fleet = { transcoder: 'box', version: '1', slots: 1, busy: 0 };
    const init = { method: 'POST', body: JSON.stringify(fleet) };
    expect((await ask('/internal/fleet', { REQUEST_LIMIT }, headers, init)).status).toBe(200);
    expect((await ask(`/jobs/${job}`, { REQUEST_LIMIT }, bearer(token))).status).toBe(429);
  });

  test('are not counted in open mode', async () => {
    const settings = { REQUEST_LIMIT: limiter(0), REELWIRE_OPEN: '1' };
    expect((await ask('/jobs', settings, { Host: 'localhost' })).status).toBe(200);
    expect((await ask('/jobs', settings, bearer(read))).status).toBe(429);
  });

  test('are counted by the binding of the platform too', async () => {
    const { success } = await env.REQUEST_LIMIT.limit({ key: 'a test' });
    expect(success).toBe(true);
  });
});

describe('keys that are none', () => {
  const wrong = `rw_${readId || '0'.repeat(12)}_${'0'.repeat(48)}`;
  const session = (key: string) => ({ method: 'POST', body: JSON.stringify({ key }) });

  test('are counted by address, wherever they are tried; those that are keys are not, and still work', async () => {
    const SIGN_IN_LIMIT = limiter(2);
    expect((await ask('/jobs', { SIGN_IN_LIMIT }, bearer(wrong))).status).toBe(401);
    expect((await ask('/session', { SIGN_IN_LIMIT }, {}, session(wrong))).status).toBe(401);
    expect((await ask('/session', { SIGN_IN_LIMIT }, {}, session(read))).status).toBe(200);
    for (const refused of [
      await ask('/jobs', { SIGN_IN_LIMIT }, bearer(wrong)),
      await ask('/session', { SIGN_IN_LIMIT }, {}, session(wrong)),
    ]) {
      expect(refused.headers.get('Retry-After')).toBe('60');
      expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    }
    expect((await ask('/jobs', { SIGN_IN_LIMIT }, bearer(read))).status).toBe(200);
    expect(SIGN_IN_LIMIT.counted).toEqual(Array(4).fill('address 203.0.113.7'));
  });
});

describe('watchers', () => {
  /** `MAX_WATCHERS_PER_JOB` of these tests, from vitest.config.ts. */
  const MOST = 3;
  const watch = (path: string): Promise<Response> => call(path, { headers: bearer(read) });

  test('of a job may be so many and no more; one that leaves makes room', async () => {
    const [job, other] = [await newJob(), await newJob()];
    const watching: EventReader[] = [];
    for (let i = 0; i < MOST; i++) watching.push(new EventReader(await watch(`/jobs/${job}/stream`)));
    for (const reader of watching) await reader.next();
    const refused = await watch(`/jobs/${job}/stream`);
    expect(refused.headers.get('Retry-After')).toBe('30');
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'too_many_watchers' });
    expect((await problemOf(await watch(`/streams?jobs=${job}`))).code).toBe('too_many_watchers');

    const both = new EventReader(await watch(`/streams?jobs=${job},${other}`));
    const told = await both.until(({ event }) => event === 'status');
    expect(told.at(-1)).toMatchObject({ data: { job_id: other } });
    expect(both.raw).toContain(`event: unavailable\ndata: {"job_id":"${job}","code":"too_many_watchers"`);

    await env.JOB.getByName(job).cancel('a test');
    for (const reader of watching) expect((await reader.rest()).at(-1)?.event).toBe('cancelled');
    expect((await watch(`/jobs/${job}/stream`)).status).toBe(200);
    await env.JOB.getByName(other).cancel('a test');
    await both.rest();
  });
});

describe('browsers are told', () => {
  const origins = { ALLOWED_ORIGINS: 'https://app.example, https://other.example' };
  const allowed = async (Origin: string, settings: object, path = '/health', init: RequestInit = {}) =>
    (await ask(path, settings, { Origin }, init)).headers.get('Access-Control-Allow-Origin');

  test('which pages elsewhere may read an answer: those that are named, without cookies', async () => {
    expect(await allowed('https://app.example', origins)).toBe('https://app.example');
    expect(await allowed('https://other.example', origins, '/jobs')).toBe('https://other.example');
    for (const other of [
      'https://evil.example',
      'https://app.example.evil.example',
      'http://app.example',
      'null',
      '',
    ]) {
      expect([other, await allowed(other, origins)]).toEqual([other, null]);
    }
    const answer = await ask('/health', origins, { Origin: 'https://app.example' });
    expect(answer.headers.get('Access-Control-Allow-Credentials')).toBeNull();
    expect(answer.headers.get('Vary')).toContain('Origin');
  });

  test('none where none is named, and all in open mode', async () => {
    for (const ALLOWED_ORIGINS of [undefined, '', ' , ']) {
      expect(await allowed('https://app.example', { ALLOWED_ORIGINS })).toBeNull();
    }
    const answer = await ask('/health', { REELWIRE_OPEN: '1' }, { Host: 'localhost', Origin: 'https://app.example' });
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });

  test('before they send something, what they may send and read', async () => {
    const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' };
    const answer = await ask('/jobs', origins, headers, { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('Access-Control-Allow-Origin')]).toEqual([204, 'https://app.example']);
    const list = (name: string): string[] => (answer.headers.get(name) ?? '').split(',');
    expect(list('Access-Control-Allow-Headers')).toEqual(
      expect.arrayContaining(['Authorization', 'Last-Event-ID', 'Idempotency-Key', 'Tus-Resumable', 'Upload-Offset']),
    );
    expect(list('Access-Control-Expose-Headers')).toEqual(
      expect.arrayContaining(['Location', 'Upload-Offset', 'Tus-Version', 'ETag', 'Content-Range', 'X-Request-Id']),
    );
    expect(list('Access-Control-Allow-Methods')).toEqual(expect.arrayContaining(['POST', 'PATCH', 'DELETE']));
    expect(
      (await ask('/internal/fleet', origins, headers, { method: 'OPTIONS' })).headers.get(
        'Access-Control-Allow-Origin',
      ),
    ).not.toBe('*');
  });

  test('not to guess types, not to frame, not to hand addresses on, and to come by TLS except on this machine', async () => {
    const job = await playableJob();
    const token = await jobToken(job, read);
    for (const path of ['/', '/health', '/nothing', '/jobs', `/jobs/${job}`, `/play/${token}/master.m3u8`]) {
      const { headers } = await call(path, { headers: bearer(read) });
      expect([path, Object.fromEntries(headers)]).toMatchObject([
        path,
        {
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'strict-transport-security': 'max-age=31536000',
        },
      ]);
    }
    const here = await ask('/health', { REELWIRE_OPEN: '1' }, { Host: 'localhost:8787' });
    expect(here.headers.get('Strict-Transport-Security')).toBeNull();
    expect(here.headers.get('X-Content-Type-Options')).toBe('nosniff');
  });

  test('not to keep answers, unless they say otherwise', async () => {
    const job = await playableJob();
    const cache = async (path: string) => (await call(path, { headers: bearer(read) })).headers.get('Cache-Control');
    expect(await cache(`/jobs/${job}`)).toBe('no-store');
    expect(await cache(`/jobs/${job}/outputs/master.m3u8`)).toBe('no-cache');
    expect(await cache(`/jobs/${job}/stream`)).toBe('no-cache, no-transform');
  });
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(20);
});
