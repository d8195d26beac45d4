/** The API of webhook endpoints: what it takes, shows and refuses, and what a deleted endpoint leaves behind. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { UploadCreated } from '../../src/contract/api.ts';
import { Webhook, WebhooksPage, WebhookWithSecret } from '../../src/contract/webhooks.ts';
import { BY_ANSWER, OUTRIGHT } from '../unit/addresses.ts';
import { CREATE } from '../unit/commands.ts';
import { fire, withBindings } from './clock.ts';
import { ask, call, env, keys, post, problemOf } from './edge.ts';
import { BYTES, creation, metadata } from './tus.ts';
import {
  afterwards,
  arrived,
  deliveries,
  HOOK,
  makeWebhook,
  provideInternet,
  sendTest,
  stored,
  waits,
  webhook,
  withWebhookBindings,
} from './webhooks-internet.ts';

provideInternet();

const patch = (id: string, body: unknown): Promise<Response> =>
  call(`/webhooks/${id}`, {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });

const remove = (id: string): Promise<Response> => call(`/webhooks/${id}`, { method: 'DELETE' });

const page = async (query = ''): Promise<WebhooksPage> =>
  WebhooksPage.parse(await (await call(`/webhooks${query}`)).json());

const away = {
  DB: {
    prepare: () => {
      throw new Error('D1 is away');
    },
  } as unknown as D1Database,
};

beforeEach(async () => {
  await page();
  await env.DB.exec('DELETE FROM webhooks');
});

describe('an endpoint', () => {
  test('is made with a secret that nobody is told again', async () => {
    const answer = await post('/webhooks', { url: HOOK, description: 'for billing' });
    expect(answer.status).toBe(201);
    const { secret, ...made } = WebhookWithSecret.parse(await answer.json());
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const events = ['job.created', 'job.playable', 'job.completed', 'job.failed', 'job.cancelled'];
    expect(made).toMatchObject({ url: HOOK, events, description: 'for billing', implicit: false, status: 'enabled' });
    expect(await webhook(made.id)).toEqual(made);
    expect((await page()).webhooks).toEqual([made]);
    for (const path of ['', `/${made.id}`]) expect(await (await call(`/webhooks${path}`)).text()).not.toContain(secret);
  });

  test('is changed in what is sent, and in nothing else', async () => {
    const { id } = await makeWebhook({ description: 'old' });
    const before = await webhook(id);
    const changed = Webhook.parse(await (await patch(id, { events: ['job.failed'] })).json());
    expect(changed).toEqual({ ...before, events: ['job.failed'], updated_at: changed.updated_at });
    await patch(id, { url: 'https://my_hooks.example.com/', description: null });
    expect(await webhook(id)).toMatchObject({ url: 'https://my_hooks.example.com/', description: null });
    expect((await page()).webhooks).toEqual([await webhook(id)]);
    await sendTest(id);
    await expect.poll(() => arrived.map(({ url }) => url)).toEqual(['https://my_hooks.example.com/']);
  });

  test('is disabled and enabled by request, and says so', async () => {
    const { id } = await makeWebhook();
    await post(`/webhooks/${id}/disable`, {});
    expect(await webhook(id)).toMatchObject({ status: 'disabled', trouble: { code: 'by_request' } });
    expect((await page()).webhooks).toEqual([await webhook(id)]);
    expect(await problemOf(await post(`/webhooks/${id}/test`, {}))).toMatchObject({ code: 'webhook_disabled' });
    expect(await deliveries(id)).toEqual([]);
    await call(`/webhooks/${id}/enable`, { method: 'POST' });
    expect(await webhook(id)).toMatchObject({ status: 'enabled', trouble: null });
    await sendTest(id);
    await expect.poll(() => arrived.length).toBe(1);
  });

  test.each(['', '{}', '{"overlap_seconds":0}'])('gets another secret, with the body %j', async (body) => {
    const { id, secret } = await makeWebhook();
    const answer = await call(`/webhooks/${id}/rotate`, { method: 'POST', body });
    const rotated = WebhookWithSecret.parse(await answer.json());
    expect([answer.status, rotated.secret === secret]).toEqual([200, false]);
  });

  test('that is deleted is found no more, hears nothing, and in the end leaves nothing', async () => {
    const { id } = await makeWebhook();
    const other = await makeWebhook();
    const answer = await remove(id);
    expect([answer.status, await answer.json()]).toEqual([200, { id, status: 'deleted' }]);
    expect(await problemOf(await remove(id))).toMatchObject({ status: 404, code: 'webhook_not_found' });
    expect((await page()).webhooks.map((one) => one.id)).toEqual([other.id]);
    const object = env.WEBHOOK.getByName(id);
    expect(await object.accept(crypto.randomUUID(), [{ seq: 1, type: 'job.created', body: '{}' }])).toEqual({
      wantsProgress: false,
    });
    expect(arrived).toEqual([]);

    await afterwards(id, `UPDATE endpoint SET data = json_set(data, '$.listing.due_at', 0)`);
    await expect.poll(() => stored(id)).toEqual({ tables: [], alarm: false });
    expect(await webhook(other.id)).toMatchObject({ id: other.id });
  });

  test('that the list cannot hear of is not made', async () => {
    const id = crypto.randomUUID();
    await withWebhookBindings(id, away);
    vi.spyOn(console, 'error').mockReturnValue();
    const given = { id, owner: null, implicit: false, url: HOOK, events: [], description: null };
    expect(await env.WEBHOOK.getByName(id).create(given)).toMatchObject({ ok: false, code: 'webhooks_unavailable' });
    expect(await problemOf(await call(`/webhooks/${id}`))).toMatchObject({ code: 'webhook_not_found' });
    await withWebhookBindings(id, {});
    expect(await env.WEBHOOK.getByName(id).create(given)).toMatchObject({ ok: true });
  });

  test('that was changed while the list was away is right in it later', async () => {
    const { id } = await makeWebhook();
    await withWebhookBindings(id, away);
    vi.spyOn(console, 'error').mockReturnValue();
    await post(`/webhooks/${id}/disable`, {});
    expect((await page()).webhooks).toMatchObject([{ status: 'enabled' }]);
    await withWebhookBindings(id, {});
    await afterwards(id, `UPDATE endpoint SET data = json_set(data, '$.listing.due_at', 0)`);
    await expect.poll(async () => (await page()).webhooks).toMatchObject([{ status: 'disabled' }]);
  });
});

describe('the list', () => {
  test('has pages, newest first, none twice and none missing', async () => {
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.unshift((await makeWebhook()).id);
    const seen: string[] = [];
    for (let query: string | null = '?limit=3'; query !== null; ) {
      const { webhooks, next_cursor }: WebhooksPage = await page(query);
      seen.push(...webhooks.map(({ id }) => id));
      query = next_cursor && `?limit=3&cursor=${next_cursor}`;
    }
    expect(new Set(seen)).toEqual(new Set(made));
    expect(seen).toHaveLength(7);
  });

  test.each([
    ['?limit=0', 'invalid_request'],
    ['?status=enabled', 'invalid_request'],
    ['?cursor=nonsense', 'invalid_field'],
  ])('is refused with %s', async (query, code) => {
    expect(await problemOf(await call(`/webhooks${query}`))).toMatchObject({ status: 400, code });
  });

  test('is not there while the database is away; endpoints are', async () => {
    const { id } = await makeWebhook();
    vi.spyOn(console, 'error').mockReturnValue();
    expect(await problemOf(await ask('/webhooks', away))).toMatchObject({ status: 503, code: 'webhooks_unavailable' });
    expect((await ask(`/webhooks/${id}`, away)).status).toBe(200);
  });
});

describe('refused', () => {
  test.each<[string, unknown]>([
    ['invalid_request', {}],
    ['invalid_request', { url: 7 }],
    ['invalid_request', { url: HOOK, colour: 'red' }],
    ['invalid_request', { url: HOOK, events: [] }],
    ['invalid_request', { url: HOOK, events: ['job.exploded'] }],
    ['invalid_request', { url: HOOK, events: ['job.failed', 'job.failed'] }],
    ['invalid_request', { url: HOOK, description: 'x'.repeat(256) }],
    ['invalid_request', { url: `${HOOK}?${'x'.repeat(2048)}` }],
    ['invalid_url', { url: 'hooks.example.com' }],
  ])('%s: %j', async (code, body) => {
    expect(await problemOf(await post('/webhooks', body))).toMatchObject({ status: 400, code });
    expect((await page()).webhooks).toEqual([]);
  });

  test('an address on this machine, and in open mode how to allow it is said', async () => {
    const detail = expect.stringContaining('ALLOW_PRIVATE_URLS=1 in .dev.vars, and a restart');
    expect(await problemOf(await post('/webhooks', { url: 'https://localhost/' }))).toMatchObject({
      ...{ status: 400, code: 'url_refused', detail },
    });
  });

  const SOME = [...OUTRIGHT.filter((_, i) => i % 7 === 0), ...BY_ANSWER];
  test.each(SOME)('$because: $refused, but not $control', async ({ code, refused, control }) => {
    const { id, url } = await makeWebhook();
    expect(await problemOf(await post('/webhooks', { url: refused }))).toMatchObject({ code });
    expect(await problemOf(await patch(id, { url: refused }))).toMatchObject({ code });
    expect((await webhook(id)).url).toBe(url);
    expect((await post('/webhooks', { url: control })).status).toBe(201);
  });

  const UNKNOWN = ['11111111-2222-4333-8444-555555555555', '..', 'msg_1', '11111111-2222-4333-8444-55555555555'];
  test.each(UNKNOWN)('every call to an endpoint that is not there: %s', async (name) => {
    const id = encodeURIComponent(name === '..' ? '%2e%2e' : name);
    const event = `msg_${'0'.repeat(32)}`;
    const answers = await Promise.all([
      call(`/webhooks/${id}`),
      patch(id, {}),
      remove(id),
      ...['rotate', 'enable', 'disable', 'test', `deliveries/${event}/redeliver`].map((path) =>
        post(`/webhooks/${id}/${path}`, {}),
      ),
      call(`/webhooks/${id}/deliveries`),
    ]);
    for (const answer of answers) {
      expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'webhook_not_found' });
    }
    if (name === UNKNOWN[0]) expect(await stored(name)).toEqual({ tables: [], alarm: false });
  });

  test.each(['msg_1', `msg_${'0'.repeat(32)}`])('the redelivery of an event that is not there: %s', async (event) => {
    const { id } = await makeWebhook();
    const answer = await post(`/webhooks/${id}/deliveries/${event}/redeliver`, {});
    expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'delivery_not_found' });
    const known = await sendTest(id);
    expect((await post(`/webhooks/${id}/deliveries/${known}/redeliver`, {})).status).toBe(202);
  });
});

describe('webhook_url', () => {
  const form = (url: string): Promise<Response> => {
    const body = new FormData();
    body.append('video', new File(['bytes'], 'clip.mp4', { type: 'video/mp4' }));
    body.append('webhook_url', url);
    return call('/process', { method: 'POST', body });
  };
  const query = (url: string): Promise<Response> =>
    call(`/process?${new URLSearchParams({ webhook_url: url })}`, {
      method: 'POST',
      body: 'bytes',
      headers: { 'Content-Type': 'application/octet-stream' },
    });

  const upload = (url: string): Promise<Response> =>
    creation({ 'Upload-Length': '5', ...BYTES, ...metadata({ webhook_url: url }) }, 'bytes');

  test.each([
    ['a form', form],
    ['the query', query],
    ['an upload', upload],
  ])('in %s makes an endpoint of its own, and the second time uses it', async (name, send) => {
    const url = `https://hooks.example.com/${encodeURIComponent(name)}`;
    const first = UploadCreated.parse(await (await send(url)).json());
    expect(first.webhook?.secret).toMatch(/^whsec_/);
    const second = UploadCreated.parse(await (await send(url)).json());
    expect(second.webhook).toEqual({ id: first.webhook?.id, secret: null });
    expect(await webhook(first.webhook?.id ?? '')).toMatchObject({ url, implicit: true, status: 'enabled' });
    await expect.poll(() => arrived.filter((one) => one.url === url).length).toBe(2);
    const about = arrived.filter((one) => one.url === url).map(({ body }) => JSON.parse(body).data.job_id);
    expect(new Set(about)).toEqual(new Set([first.job_id, second.job_id]));
    await expect.poll(async () => (await page()).webhooks.length).toBe(1);
    const moved = await patch(first.webhook?.id ?? '', { url: HOOK });
    expect(await problemOf(moved)).toMatchObject({ status: 400, code: 'invalid_field' });
  });

  test('that is absent makes none, and the answer does not speak of one', async () => {
    const answer = await call('/process', {
      method: 'POST',
      body: 'bytes',
      headers: { 'Content-Type': 'application/octet-stream' },
    });
    expect(Object.keys(await answer.json<object>())).toEqual(['job_id', 'message', 'status_url', 'stream_url']);
  });

  test.each([
    ['invalid_url', 'a form', form, 'hooks.example.com'],
    ['url_refused', 'a form', form, 'http://10.0.0.1/'],
    ['url_refused', 'the query', query, 'http://10.0.0.1/'],
    ['url_refused', 'an upload', upload, 'http://10.0.0.1/'],
    ['invalid_field', 'the query', query, `${HOOK}?${'x'.repeat(2048)}`],
  ])('that cannot be used is %s in %s, and nothing is left', async (code, _, send, url) => {
    const before = await keys(env.INPUT, '');
    expect(await problemOf(await send(url))).toMatchObject({ status: 400, code });
    expect(await keys(env.INPUT, '')).toEqual(before);
    expect((await page()).webhooks).toEqual([]);
  });
});

test('a job that is deleted before its endpoints could be looked up tells them all the same', async () => {
  const { id } = await makeWebhook();
  const job = crypto.randomUUID();
  const object = env.JOB.getByName(job);
  const prepare = () => {
    throw new Error('D1 is down');
  };
  await withBindings(job, { DB: { prepare } });
  const { source, options, ...rest } = CREATE;
  await object.create({ ...rest, source, options, job_id: job, by: 'a test' });
  await object.delete('a test');
  expect(await deliveries(id)).toEqual([]);
  await withBindings(job, {});
  await fire(job, 'subscribe');
  const types = async () => (await deliveries(id)).map(({ type }) => type).sort();
  await expect.poll(types).toEqual(['job.cancelled', 'job.created']);
});

test('an alarm that fails comes again', async () => {
  const { id } = await makeWebhook();
  await withWebhookBindings(id, { RETENTION_DAYS: 'for ever' });
  await afterwards(id);
  expect((await waits(id)).alarm).toBeGreaterThan(50);
  expect((await waits(id)).alarm).toBeLessThan(61);
});
