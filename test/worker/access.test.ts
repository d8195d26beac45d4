/** Who gets in at all: open mode with a loopback Host, transcoders with a token, and nobody where there is no secret. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { app } from '../../src/worker/app.ts';
import { deploy, linesWith } from './closed.ts';
import { env, ORIGIN, problemOf } from './edge.ts';

beforeAll(deploy);

/** What a bare deploy has. */
const NO_ACCESS = {
  ...{ REELWIRE_OPEN: undefined, TOKEN_SECRET: undefined },
  ...{ TRANSCODER_TOKEN: undefined, TRANSCODER_TOKEN_PREVIOUS: undefined },
};

async function ask(
  path: string,
  settings: object,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(new URL(path, ORIGIN), { method, headers: { Host: 'localhost:8787', ...headers } });
  const answer = await app.fetch(request, { ...env, ...NO_ACCESS, ...settings }, context);
  await waitOnExecutionContext(context);
  return answer;
}

const ROUTES: [string, string][] = [
  ['GET', '/'],
  ['GET', '/health'],
  ['POST', '/process'],
  ['GET', '/jobs'],
  ['GET', `/jobs/${crypto.randomUUID()}`],
  ['DELETE', `/jobs/${crypto.randomUUID()}`],
  ['GET', `/jobs/${crypto.randomUUID()}/stream`],
  ['GET', `/jobs/${crypto.randomUUID()}/events`],
  ['POST', `/jobs/${crypto.randomUUID()}/cancel`],
  ['GET', `/jobs/${crypto.randomUUID()}/outputs/master.m3u8`],
  ['GET', '/keys'],
  ['DELETE', '/session'],
  ['GET', '/nothing'],
  ['POST', '/internal/fleet'],
  ['POST', `/internal/jobs/${crypto.randomUUID()}/lease`],
  ['PUT', `/internal/jobs/${crypto.randomUUID()}/outputs/audio/1.m4s`],
  ['POST', '/client/v4/accounts/a/queues/q/messages/pull'],
  ['POST', '/client/v4/accounts/a/queues/q/messages/ack'],
];

describe.each(ROUTES)('%s %s', (method, path) => {
  test('is closed without a setting that opens it, and open with it', async () => {
    expect(await problemOf(await ask(path, {}, {}, method))).toMatchObject({ status: 403, code: 'access_closed' });
    expect((await ask(path, { REELWIRE_OPEN: '1' }, {}, method)).status).not.toBe(403);
  });

  test('is closed in open mode for a name that is not this machine, and open for those that are', async () => {
    for (const Host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '192.168.0.7:8787', '']) {
      const answer = await ask(path, { REELWIRE_OPEN: '1' }, { Host }, method);
      expect([Host, answer.status]).toEqual([Host, 403]);
    }
    for (const Host of ['localhost', '127.0.0.1:8787', '[::1]:1', 'LOCALHOST:8787']) {
      expect((await ask(path, { REELWIRE_OPEN: '1' }, { Host }, method)).status).not.toBe(403);
    }
  });
});

describe('a transcoder token', () => {
  const tokens = { TRANSCODER_TOKEN: 'new-token', TRANSCODER_TOKEN_PREVIOUS: 'old-token' };
  const path = `/internal/jobs/${crypto.randomUUID()}/lease`;
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}`, Host: 'edge.example' });

  test.each(['', 'wrong', 'new-toke', 'new-tokens'])('%j is refused', async (token) => {
    expect(await problemOf(await ask(path, tokens, bearer(token), 'POST'))).toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
  });

  test.each([
    { TRANSCODER_TOKEN: '' },
    { TRANSCODER_TOKEN: '', TRANSCODER_TOKEN_PREVIOUS: '' },
    { TRANSCODER_TOKEN: 'new-token', TRANSCODER_TOKEN_PREVIOUS: '' },
    { TRANSCODER_TOKEN: '', TOKEN_SECRET: 'a-secret' },
  ])('that is empty opens nothing: %j', async (settings) => {
    for (const headers of [{ Host: 'edge.example' }, bearer('')]) {
      const { code } = await problemOf(await ask(path, settings, headers, 'POST'));
      expect(['access_closed', 'unauthorized']).toContain(code);
    }
  });

  test('is needed in open mode too once it is set', async () => {
    const answer = await ask(path, { ...tokens, REELWIRE_OPEN: '1' }, {}, 'POST');
    expect(await problemOf(answer)).toMatchObject({ code: 'unauthorized' });
  });

  test.each(['new-token', 'old-token'])('%j is accepted, and opens nothing else', async (token) => {
    expect(await problemOf(await ask(path, tokens, bearer(token), 'POST'))).toMatchObject({ code: 'invalid_request' });
    expect(await problemOf(await ask('/health', tokens, bearer(token)))).toMatchObject({ code: 'access_closed' });
  });
});

describe('a token secret', () => {
  const elsewhere = { Host: 'edge.example' };
  const none = { TOKEN_SECRET: '' };
  const old = { TOKEN_SECRET_PREVIOUS: 'old' };

  test.each([{}, none, old, { ...none, ...old }])('that is missing lets nobody in: %j', async (settings) => {
    expect(await problemOf(await ask('/health', settings, elsewhere))).toMatchObject({ code: 'access_closed' });
    expect(await problemOf(await ask('/jobs', settings, elsewhere))).toMatchObject({ code: 'access_closed' });
  });

  test('lets those in who have a key, and says so in /health', async () => {
    const answer = await ask('/health', { TOKEN_SECRET: 'a-secret' }, elsewhere);
    expect(await answer.json()).toMatchObject({ mode: 'keys' });
    const refused = await ask('/jobs', { TOKEN_SECRET: 'a-secret' }, elsewhere);
    expect(refused.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(await problemOf(refused)).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  test('changes nothing in open mode', async () => {
    const settings = { TOKEN_SECRET: 'a-secret', REELWIRE_OPEN: '1' };
    expect(await (await ask('/health', settings)).json()).toMatchObject({ mode: 'open' });
    expect((await ask(`/jobs/${crypto.randomUUID()}/cancel`, settings, {}, 'POST')).status).toBe(404);
    expect((await ask('/jobs', settings, { Authorization: 'Bearer nonsense' })).status).toBe(200);
  });
});

test('open mode is told, once', async () => {
  const before = linesWith('OPEN MODE').length;
  vi.resetModules();
  const { app: fresh } = await import('../../src/worker/app.ts');
  for (const _ of [1, 2]) {
    const request = new Request(`${ORIGIN}/nothing`, { headers: { Host: 'localhost' } });
    await fresh.fetch(request, { ...env, ...NO_ACCESS, REELWIRE_OPEN: '1' }, createExecutionContext());
  }
  expect(linesWith('OPEN MODE')).toHaveLength(before + 1);
});

test('errors carry CORS headers in open mode, so that a page can read them', async () => {
  const answer = await ask('/jobs/42', { REELWIRE_OPEN: '1' }, { Origin: 'http://localhost:3000' });
  expect([answer.status, answer.headers.get('Access-Control-Allow-Origin')]).toEqual([400, '*']);
});

test('what goes wrong inside is told as internal, with the request id and without a stack', async () => {
  const broken = {
    REELWIRE_OPEN: '1',
    JOB: {
      getByName: () => {
        throw new Error('secret detail');
      },
    },
  };
  const answer = await ask(`/jobs/${crypto.randomUUID()}`, broken);
  const text = await answer.clone().text();
  expect(text).not.toContain('secret');
  expect(await problemOf(answer)).toMatchObject({ status: 500, code: 'internal' });
});
