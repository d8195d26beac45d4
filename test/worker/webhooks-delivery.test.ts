/** Delivery with the clock in hand: by hand-over, attempt and judgement, over hours and days. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Delivery } from '../../src/contract/webhooks.ts';
import { Log } from '../../src/durable/job/log.ts';
import { fire, secondsUntil, settle, timer, withBindings } from './clock.ts';
import { call, completedJob, env, job, lease, makeOutputs, post, report, submit } from './edge.ts';
import {
  type Arrived,
  afterwards,
  arrived,
  deliveries,
  internet,
  makeWebhook,
  provideInternet,
  sendTest,
  stored,
  timePasses,
  waits,
  webhook,
} from './webhooks-internet.ts';

provideInternet();

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeEach(async () => {
  await call('/webhooks');
  await env.DB.exec('DELETE FROM webhooks');
});

const failing = (status = 500): void => {
  internet.answer = () => new Response('no', { status });
};

/** The one event of an endpoint. */
async function only(id: string): Promise<Delivery> {
  const [delivery, ...others] = await deliveries(id);
  if (!delivery || others.length > 0) throw new Error(`${others.length + 1} deliveries`);
  return delivery;
}

const attempted = (id: string, count: number): Promise<void> =>
  expect.poll(async () => (await only(id)).attempts.length).toBe(count);

describe('an attempt', () => {
  test('that fails is made again after five seconds, five minutes, half an hour, two hours', async () => {
    const { id } = await makeWebhook();
    failing();
    await sendTest(id);
    for (const [i, wait] of [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR].entries()) {
      await attempted(id, i + 1);
      const { event, alarm } = await waits(id);
      expect(event).toBeGreaterThan(wait - 1);
      expect(event).toBeLessThanOrEqual(wait * 1.2);
      expect(alarm).toBeCloseTo(event, 1);
      await timePasses(id);
    }
    await attempted(id, 5);
    expect((await only(id)).attempts.map(({ status, error, probe }) => [status, error, probe])).toEqual(
      Array.from({ length: 5 }, () => [500, 'http_error', false]),
    );
  });

  test('is the last one after nine, if others get through meanwhile; then only a redelivery helps', async () => {
    const { id } = await makeWebhook();
    let isCured = false;
    const isFirst = ({ headers }: Arrived) => headers.get('webhook-id') === arrived[0]?.headers.get('webhook-id');
    internet.answer = (request) => new Response(null, { status: isFirst(request) && !isCured ? 500 : 200 });
    const poison = await sendTest(id);
    const state = async () => (await deliveries(id)).find(({ event_id }) => event_id === poison)?.state;
    for (let n = 1; n <= 9; n++) {
      await expect.poll(() => arrived.filter(isFirst).length).toBe(n);
      await sendTest(id);
      await expect.poll(async () => (await deliveries(id)).filter((one) => one.state === 'delivered').length).toBe(n);
      if (n < 9) expect(await state()).toBe('pending');
      await timePasses(id);
    }
    await expect.poll(state).toBe('failed');
    expect((await webhook(id)).status).toBe('enabled');
    isCured = true;
    await post(`/webhooks/${id}/deliveries/${poison}/redeliver`, {});
    await expect.poll(async () => (await deliveries(id)).every((one) => one.state === 'delivered')).toBe(true);
  });

  test('is not made once the name of the receiver leads to a private address, and is made when it does not', async () => {
    const { id } = await makeWebhook();
    const { resolve } = internet;
    internet.resolve = async () => ['10.0.0.1'];
    await sendTest(id);
    await attempted(id, 1);
    expect((await only(id)).attempts).toMatchObject([{ status: null, error: 'url_refused', answer: null }]);
    expect(arrived).toEqual([]);
    internet.resolve = resolve;
    await timePasses(id);
    await expect.poll(async () => (await only(id)).state).toBe('delivered');
    expect(arrived.length).toBe(1);
  });

  test('of an endpoint with a year of 429 is asked again after an hour', async () => {
    const { id } = await makeWebhook();
    internet.answer = () => new Response(null, { status: 429, headers: { 'Retry-After': '31536000' } });
    await sendTest(id);
    await attempted(id, 1);
    const { event, all, alarm } = await waits(id);
    expect([event, all, alarm].map((wait) => Math.round(wait / MINUTE))).toEqual([60, 60, 60]);
  });

  test('reads no more of the answer than it keeps', async () => {
    const { id } = await makeWebhook();
    let pulled = 0;
    const cancelled = vi.fn();
    const pull = (controller: ReadableStreamDefaultController): void => {
      pulled += 1;
      controller.enqueue(new Uint8Array(100).fill(120));
    };
    internet.answer = () => new Response(new ReadableStream({ pull, cancel: cancelled }, { highWaterMark: 0 }));
    await sendTest(id);
    await expect.poll(async () => (await only(id)).state).toBe('delivered');
    expect((await only(id)).attempts[0]?.answer).toBe('x'.repeat(1024));
    expect(pulled).toBe(11);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  test('of which the object did not live to hear the end is made again under the same id, and costs nothing', async () => {
    const { id } = await makeWebhook();
    const event = await sendTest(id);
    await expect.poll(async () => (await only(id)).state).toBe('delivered');
    await runInDurableObject(env.WEBHOOK.getByName(id), async (_, { storage }) => {
      storage.sql.exec(`UPDATE events SET state = 'sending', due_at = ?`, Date.now() + 20_000);
      await storage.setAlarm(Date.now() + 20_000);
    });
    expect((await only(id)).state).toBe('sending');
    await evictDurableObject(env.WEBHOOK.getByName(id));
    await expect.poll(async () => (await only(id)).state).toBe('delivered');
    expect((await only(id)).attempts.map(({ status, error }) => error ?? status)).toEqual([204, 'interrupted', 204]);
    expect(arrived.filter(({ headers }) => headers.get('webhook-id') === event)).toHaveLength(2);
  });
});

describe('an endpoint', () => {
  /** Fails until the breaker is open. */
  async function broken(): Promise<string> {
    const { id } = await makeWebhook();
    failing();
    await sendTest(id);
    for (let n = 1; n <= 5; n++) {
      await attempted(id, n);
      await timePasses(id);
    }
    await attempted(id, 6);
    return id;
  }

  test('that fails five times in a row is tried with one event at a time, which costs no attempt', async () => {
    const id = await broken();
    expect(await webhook(id)).toMatchObject({ status: 'failing', trouble: { code: 'failing' } });
    expect((await only(id)).attempts.map(({ probe }) => probe)).toEqual([false, false, false, false, false, true]);
    const { all, alarm } = await waits(id);
    expect(all).toBeGreaterThan(4 * MINUTE);
    expect(alarm).toBeCloseTo(all, 1);
    const { WEBHOOK } = env;
    for (let n = 0; n < 7; n++) {
      const events = [{ seq: 1, type: 'job.created' as const, body: '{}' }];
      await WEBHOOK.getByName(id).accept(crypto.randomUUID(), events);
    }
    const before = arrived.length;
    await timePasses(id);
    await expect.poll(() => arrived.length).toBe(before + 1);
    await expect.poll(async () => (await waits(id)).all).toBeGreaterThan(14 * MINUTE);
    internet.answer = () => new Response(null, { status: 204 });
    await timePasses(id);
    await expect.poll(async () => (await deliveries(id)).every(({ state }) => state === 'delivered')).toBe(true);
    expect(await webhook(id)).toMatchObject({ status: 'enabled', trouble: null });
  });

  test('that fails for long has not used up the attempts of what it is tried with', async () => {
    const id = await broken();
    for (let n = 7; n <= 12; n++) {
      await timePasses(id);
      await attempted(id, n);
    }
    expect((await only(id)).state).toBe('pending');
  });

  test('that is back gets at once what was waiting for a later attempt', async () => {
    const { id } = await makeWebhook();
    failing();
    for (let n = 0; n < 5; n++) await sendTest(id);
    await expect.poll(async () => (await webhook(id)).status).toBe('failing');
    internet.answer = () => new Response(null, { status: 204 });
    expect((await waits(id)).event).toBeGreaterThan(3);
    await afterwards(id, `UPDATE endpoint SET data = json_set(data, '$.health.quiet_until', 0)`);
    await expect.poll(async () => (await deliveries(id)).every(({ state }) => state === 'delivered')).toBe(true);
  });

  const longAgo = (hours: number): string =>
    `UPDATE endpoint SET data = json_set(data, '$.health.failing_since', ${Date.now() - hours * HOUR * 1000})`;

  test('to which nothing gets through for a day is disabled, keeps its events, and gets them when enabled', async () => {
    const id = await broken();
    await afterwards(id, longAgo(23.9));
    await timePasses(id);
    await attempted(id, 7);
    expect(await webhook(id)).toMatchObject({ status: 'failing' });
    await afterwards(id, longAgo(24));
    await timePasses(id);
    await attempted(id, 8);
    const { status, trouble } = await webhook(id);
    expect([status, trouble?.code]).toEqual(['disabled', 'gave_up']);
    expect(trouble?.message).toBe(
      'Every delivery failed for 24 hours, the last one with: HTTP 500. Mend the receiver, then enable the endpoint.',
    );
    const listed = () => env.DB.prepare('SELECT enabled FROM webhooks WHERE id = ?').bind(id).first('enabled');
    await expect.poll(listed).toBe(0);
    await timePasses(id);
    expect((await only(id)).attempts).toHaveLength(8);
    expect((await only(id)).state).toBe('pending');

    internet.answer = () => new Response(null, { status: 204 });
    await post(`/webhooks/${id}/enable`, {});
    await expect.poll(async () => (await only(id)).state).toBe('delivered');
    await expect.poll(listed).toBe(1);
  });

  test('that answers 410 is disabled at once, and no new job tells it anything', async () => {
    const { id } = await makeWebhook();
    failing(410);
    await submit();
    await expect.poll(async () => (await webhook(id)).trouble?.code).toBe('gone');
    const other = await submit();
    await expect.poll(() => timer(other, 'subscribe')).toBeUndefined();
    expect(await timer(other, `webhook:${id}`)).toBeUndefined();
    expect((await only(id)).state).toBe('pending');
  });

  test('forgets events after a week, with their attempts, and then has nothing to wake up for', async () => {
    const { id } = await makeWebhook();
    await sendTest(id);
    await expect.poll(async () => (await only(id)).state).toBe('delivered');
    expect((await waits(id)).alarm / DAY).toBeCloseTo(7 + 1 / 24, 2);
    await afterwards(id, `UPDATE events SET created_at = ${Date.now() - (7 * DAY - 60) * 1000}`);
    expect(await deliveries(id)).toHaveLength(1);
    await afterwards(id, `UPDATE events SET created_at = ${Date.now() - (7 * DAY + 1) * 1000}`);
    expect(await deliveries(id)).toEqual([]);
    const left = await runInDurableObject(env.WEBHOOK.getByName(id), (_, { storage }) =>
      storage.sql.exec('SELECT * FROM attempts').toArray(),
    );
    expect([left, (await stored(id)).alarm]).toEqual([[], false]);
  });
});

describe('a job', () => {
  test('tells all endpoints that are enabled, once, in the order of its log', async () => {
    const { id } = await makeWebhook();
    const off = await makeWebhook();
    await post(`/webhooks/${off.id}/disable`, {});
    const done = await completedJob();
    await expect.poll(() => arrived.length).toBe(3);
    const bodies = arrived.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ type }) => type)).toEqual(['job.created', 'job.playable', 'job.completed']);
    expect(bodies.map(({ data }) => data.seq)).toEqual(bodies.map(({ data }) => data.seq).toSorted((a, b) => a - b));
    const result = (await job(done)).result;
    expect(bodies[2].data.result).toEqual(result);
    expect(await deliveries(id)).toHaveLength(3);
    expect(await deliveries(off.id)).toEqual([]);
    const subscribed = await runInDurableObject(env.JOB.getByName(done), (_, { storage }) =>
      storage.sql.exec<{ data: string }>(`SELECT data FROM log WHERE type = '_webhooks'`).toArray(),
    );
    const told = subscribed.map(({ data }) => JSON.parse(data).endpoints);
    expect(told).toEqual([expect.arrayContaining([id])]);
    expect(told[0]).not.toContain(off.id);
  });

  test('knows from its log which entry opened playback in a run', async () => {
    const told = await submit();
    const opens = await runInDurableObject(env.JOB.getByName(told), (_, { storage }) => {
      const log = new Log(storage.sql);
      const add = (seq: number, type: string, data: object) =>
        storage.sql.exec('INSERT INTO log VALUES (?, ?, 0, ?)', seq, type, JSON.stringify(data));
      for (const seq of [101, 102, 104, 106]) add(seq, 'playable', {});
      add(103, 'state', { details: { state: 'released' } });
      add(105, 'state', { details: { state: 'retried' } });
      return [101, 102, 104, 106, 107].filter((seq) => log.opensPlayback(seq));
    });
    expect(opens).toEqual([101, 106]);
  });

  test('that hands over twice what it has to tell is heard once', async () => {
    const { id } = await makeWebhook();
    const told = await submit();
    await expect.poll(() => arrived.length).toBe(1);
    await expect.poll(async () => (await timer(told, `webhook:${id}`))?.due_at).toBeNull();
    await runInDurableObject(env.JOB.getByName(told), (_, { storage }) => {
      storage.sql.exec(`UPDATE timers SET data = json_set(data, '$.cursor', 0) WHERE kind = 'webhook:${id}'`);
    });
    await fire(told, `webhook:${id}`);
    expect((await timer(told, `webhook:${id}`))?.due_at).toBeNull();
    expect((await only(id)).state).toBe('delivered');
    await post(`/jobs/${told}/cancel`, {});
    await expect
      .poll(async () => (await deliveries(id)).map(({ type }) => type))
      .toEqual(['job.cancelled', 'job.created']);
  });

  test('whose endpoint cannot be reached tries again, and nothing else waits for that', async () => {
    const { id } = await makeWebhook();
    const told = await submit();
    await expect.poll(async () => (await timer(told, `webhook:${id}`))?.due_at).toBeNull();
    vi.spyOn(console, 'error').mockReturnValue();
    const hanging = { getByName: () => ({ accept: () => new Promise(() => undefined) }) };
    await withBindings(told, { WEBHOOK: hanging });
    const number = await lease(told);
    await makeOutputs(told, number);
    expect((await report(told, number, 2)).status).toBe(200);
    await expect.poll(async () => (await job(told)).playback.hls).not.toBeNull();
    const listed = () => env.DB.prepare('SELECT summary FROM jobs WHERE id = ?').bind(told).first<string>('summary');
    await expect.poll(async () => JSON.parse((await listed()) ?? '{}').stage).toBe('transcoding');

    const broken = { getByName: () => ({ accept: () => Promise.reject(new Error('away')) }) };
    await withBindings(told, { WEBHOOK: broken });
    await expect
      .poll(async () => JSON.parse((await timer(told, `webhook:${id}`))?.data ?? '{}').tries, {
        timeout: 20_000,
      })
      .toBeGreaterThan(0);
    await withBindings(told, {});
    await fire(told, `webhook:${id}`);
    await expect
      .poll(async () => (await deliveries(id)).map(({ type }) => type))
      .toEqual(['job.playable', 'job.created']);
  });

  test('that is made while the list is away finds its endpoints later, and tells them all from the beginning', async () => {
    const { id } = await makeWebhook();
    vi.spyOn(console, 'error').mockReturnValue();
    const told = crypto.randomUUID();
    const object = env.JOB.getByName(told);
    const prepare = () => {
      throw new Error('D1 is away');
    };
    await withBindings(told, { DB: { prepare } });
    await object.create({
      ...{ job_id: told, key: 'clip', bucket: 'b', source: { size_bytes: 1, content_type: 'video/mp4' } },
      options: { quality: 'standard', ladder: null, mp4: false, retention_days: null, priority: 'normal' },
      ...{ metadata: {}, by: 'the API' },
    });
    await post(`/jobs/${told}/cancel`, {});
    await expect.poll(async () => JSON.parse((await timer(told, 'subscribe'))?.data ?? '{}').tries).toBeGreaterThan(0);
    expect(await deliveries(id)).toEqual([]);
    await withBindings(told, {});
    await fire(told, 'subscribe');
    await expect
      .poll(async () => (await deliveries(id)).map(({ type }) => type))
      .toEqual(['job.cancelled', 'job.created']);
    expect((await job(told)).status).toBe('cancelled');
  });

  test('that is deleted has told that it was cancelled before it forgets itself', async () => {
    const { id } = await makeWebhook();
    const told = await submit();
    await expect.poll(async () => (await timer(told, `webhook:${id}`))?.due_at).toBeNull();
    vi.spyOn(console, 'error').mockReturnValue();
    const broken = { getByName: () => ({ accept: () => Promise.reject(new Error('away')) }) };
    await withBindings(told, { WEBHOOK: broken });
    await call(`/jobs/${told}`, { method: 'DELETE' });
    await expect.poll(async () => secondsUntil(await timer(told, 'erase'))).toBeGreaterThan(590);
    await fire(told, 'erase');
    expect(await timer(told, 'erase')).toBeDefined();
    await withBindings(told, {});
    await fire(told, `webhook:${id}`);
    expect((await deliveries(id)).map(({ type }) => type)).toEqual(['job.cancelled', 'job.created']);
    for (const errand of ['list', 'close_upload']) await settle(told, errand);
    await fire(told, 'erase');
    const tables = await runInDurableObject(env.JOB.getByName(told), (_, { storage }) =>
      storage.sql.exec(`SELECT name FROM sqlite_master WHERE name = 'log'`).toArray(),
    );
    expect(tables).toEqual([]);
  });

  test('whose timers were lost still tells its endpoints how it ends', async () => {
    const { id } = await makeWebhook();
    const told = await submit();
    await expect.poll(() => arrived.length).toBe(1);
    await expect.poll(() => timer(told, 'subscribe')).toBeUndefined();
    await runInDurableObject(env.JOB.getByName(told), (_, { storage }) => void storage.sql.exec('DELETE FROM timers'));
    await evictDurableObject(env.JOB.getByName(told));
    await post(`/jobs/${told}/cancel`, {});
    await expect
      .poll(async () => (await deliveries(id)).map(({ type }) => type))
      .toEqual(['job.cancelled', 'job.created']);
  });

  test('tells its progress to those who ask for it, at most every ten seconds', async () => {
    const { id } = await makeWebhook({ events: ['job.progress'] });
    const told = await submit();
    await expect.poll(() => arrived.length).toBe(1);
    const number = await lease(told);
    await makeOutputs(told, number);
    const data = async () => JSON.parse((await timer(told, `webhook:${id}`))?.data ?? '{}');
    await expect.poll(async () => (await timer(told, `webhook:${id}`))?.due_at).toBeNull();
    const from = (await data()).progress_from;
    expect(from - Date.now()).toBeGreaterThan(5000);
    expect(arrived).toHaveLength(1);
    await runInDurableObject(env.JOB.getByName(told), (_, { storage }) => {
      storage.sql.exec(`UPDATE timers SET data = json_set(data, '$.progress_from', 0) WHERE kind = 'webhook:${id}'`);
    });
    const stage = { type: 'stage' as const, stage: 'validation' as const, message: 'Validating' };
    await report(told, number, 2, { entries: [stage] });
    await expect.poll(() => arrived.length).toBe(2);
    expect(JSON.parse(arrived[1]?.body ?? '{}')).toMatchObject({ type: 'job.progress', data: { stage: 'validation' } });
    expect((await data()).progress_from).toBeGreaterThan(from);
    await call(`/webhooks/${id}`, { method: 'PATCH', body: JSON.stringify({ events: ['job.cancelled'] }) });
    await post(`/jobs/${told}/cancel`, {});
    await expect.poll(async () => (await data()).progress_from).toBeNull();
    expect(arrived.map(({ body }) => JSON.parse(body).type)).toEqual(['job.progress', 'job.progress', 'job.cancelled']);
  });
});
