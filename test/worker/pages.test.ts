/** The web app's pages: who gets one, under which policy, and that they say nothing of anybody. */
import { env } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { call, completedJob } from './edge.ts';

/** As a browser asks that goes to an address. */
const HTML = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

const policyOf = (answer: Response): string => answer.headers.get('Content-Security-Policy') ?? '';

test.each(['/', '/jobs/00000000-0000-4000-8000-000000000000', '/jobs/anything'])(
  '%s is a page for who goes there',
  async (path) => {
    const answer = await call(path, { headers: HTML });
    expect([answer.status, answer.headers.get('Content-Type'), answer.headers.get('Cache-Control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    expect(answer.headers.get('Vary')).toContain('Accept');
    expect(await answer.text()).toContain('<div id="app">');
  },
);

test('whoever does not ask for HTML gets what was there before, and caches are told', async () => {
  const id = await completedJob();
  const home = await call('/', { headers: { Accept: '*/*' } });
  expect(home.headers.get('Content-Type')).toContain('text/plain');
  const job = await call(`/jobs/${id}`, { headers: { Accept: 'application/json' } });
  expect(await job.json()).toMatchObject({ id });
  const missing = await call(`/jobs/${crypto.randomUUID()}`);
  expect(missing.status).toBe(404);
  for (const { headers } of [home, job, missing]) expect(headers.get('Vary')).toContain('Accept');
});

test.each<[string, string, RequestInit]>([
  ['a list', '/jobs', { headers: HTML }],
  ['a stream', '/streams?jobs=42', { headers: HTML }],
  ['a command', '/jobs/42/cancel', { method: 'POST', headers: HTML }],
  ['a change at a shared address', '/jobs/42', { method: 'DELETE', headers: HTML }],
  ['a command that does not exist', '/nothing', { method: 'POST', headers: HTML }],
])('%s is no page', async (_, path, init) => {
  const answer = await call(path, init);
  await answer.body?.cancel();
  expect(answer.headers.get('Content-Type')).not.toContain('text/html');
});

test('where nothing is, the app says so to who goes there, whatever the browser has kept, and a problem to all others', async () => {
  const home = await call('/', { headers: HTML });
  await home.body?.cancel();
  const answer = await call('/nothing/here', { headers: { ...HTML, 'If-None-Match': home.headers.get('ETag') ?? '' } });
  expect([answer.status, answer.headers.get('Content-Type')]).toEqual([404, 'text/html; charset=utf-8']);
  expect(await answer.text()).toContain('<div id="app">');
  const problem = await call('/nothing/here');
  expect([problem.status, await problem.json()]).toMatchObject([404, { code: 'not_found' }]);
  for (const { headers } of [answer, problem]) expect(headers.get('Vary')).toContain('Accept');
});

test('a page runs and loads only what is ours, and nothing that stands in it', async () => {
  for (const path of ['/', '/watch/42']) {
    const answer = await call(path, { headers: HTML });
    const policy = policyOf(answer);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy).not.toMatch(/unsafe|http|data:/);
    const html = await answer.text();
    expect(html).not.toMatch(/<script(?![^>]*src="\/assets\/)|<style|style=|\son\w+=/);
    for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const file = await call(address);
      expect([file.status, file.headers.get('Cache-Control')]).toEqual([200, 'public, max-age=31536000, immutable']);
      await file.body?.cancel();
    }
  }
});

test('everybody may frame the player, nobody the app', async () => {
  const player = await call('/watch/42', { headers: HTML });
  expect([policyOf(player).includes('frame-ancestors *'), player.headers.get('X-Frame-Options')]).toEqual([true, null]);
  const app = await call('/', { headers: HTML });
  expect(policyOf(app)).toContain("frame-ancestors 'none'");
  expect(app.headers.get('X-Frame-Options')).toBe('DENY');
  const json = await call('/health');
  expect(json.headers.get('X-Frame-Options')).toBe('DENY');
});

test.each(['/assets/nothing.js', '/assets/..%2findex.html', '/assets/.built', '/.built', '/web/dist/index.html'])(
  '%s is not there',
  async (path) => {
    const answer = await call(path);
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([404, 'application/problem+json']);
    await answer.body?.cancel();
  },
);

test('the browser asks again whether a page is still the same', async () => {
  const first = await call('/', { headers: HTML });
  const etag = first.headers.get('ETag') ?? '';
  await first.body?.cancel();
  expect(env.ASSETS).toBeDefined();
  const again = await call('/', { headers: { ...HTML, 'If-None-Match': etag } });
  expect([etag === '', again.status]).toEqual([false, 304]);
});
