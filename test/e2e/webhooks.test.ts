/** Webhooks from the job to the receiver: what is told, in which order, and that nothing is lost on the way. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_BODY_BYTES, type WebhookEvent } from '../../src/contract/webhooks.ts';
import { DrivenJob } from './driven-job.ts';
import { answering, isSignedWith, type Received, Receiver } from './receiver.ts';
import { System } from './system.ts';
import { WebhookCalls } from './webhook-calls.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const PATIENT = { timeout: LONG ? 300_000 : 30_000, interval: 50 };

let system: System;
let receiver: Receiver;
let webhooks: WebhookCalls;
beforeAll(async () => {
  const schedule = '0,300,300,300,300,300,300,300,300,300';
  [system, receiver] = await Promise.all([
    System.start({ ALLOW_PRIVATE_URLS: '1', WEBHOOK_SCHEDULE_MS: schedule, WEBHOOK_TIMEOUT_MS: '60000' }),
    Receiver.start(),
  ]);
  webhooks = new WebhookCalls(system.url);
});
afterAll(() => Promise.all([system.stop(), receiver.close()]));

const types = (received: readonly Received[]): string[] => received.map(({ event }) => event.type);
const ids = (received: readonly Received[]): string[] => [...new Set(received.map(({ id }) => id))];
const ofJob = (received: readonly Received[], job: string): Received[] =>
  received.filter(({ event }) => 'job_id' in event.data && event.data.job_id === job);

const cancel = (job: string): Promise<Response> => fetch(`${system.url}/jobs/${job}/cancel`, { method: 'POST' });

test('a job tells the endpoints of all jobs and its own, each event once, in order, signed', async () => {
  const all = await webhooks.make(receiver.at('/all'));
  const everything = await webhooks.make(receiver.at('/everything'), { events: ['job.completed', 'job.progress'] });
  const metadata = JSON.stringify({ order: '7' });
  const accepted = await webhooks.submit(receiver.at('/own'), { metadata });
  const { id: own, secret } = accepted.webhook ?? {};
  expect(secret).toMatch(/^whsec_/);
  const again = await webhooks.submit(receiver.at('/own'));
  expect(again.webhook).toEqual({ id: own, secret: null });
  await cancel(again.job_id);

  const job = new DrivenJob(system.url, accepted.job_id);
  await job.begin();
  await job.complete();
  const expected = ['job.created', 'job.playable', 'job.completed'];
  for (const [path, key] of [['/all', all.secret] as const, ['/own', secret ?? ''] as const]) {
    const received = ofJob(await receiver.until(path, (some) => ofJob(some, job.id).length === 3), job.id);
    expect(types(received)).toEqual(expected);
    expect(received.map((one) => isSignedWith(key, one))).toEqual([true, true, true]);
    const log = new Map((await job.log()).map((entry) => [entry.seq, entry]));
    for (const { event, body, headers } of received) {
      if (event.type === 'webhook.test') return expect.unreachable();
      const { message, status, stage, progress, timestamp } = log.get(event.data.seq)?.data ?? {};
      expect(event).toMatchObject({ timestamp, data: { message, status, stage, progress } });
      expect(event.data).toMatchObject({ job_id: job.id, key: 'clip', metadata: { order: '7' } });
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Reelwire' });
      expect(body.length).toBeLessThan(MAX_BODY_BYTES);
    }
  }
  expect(ids([...receiver.received('/all'), ...receiver.received('/own')])).toHaveLength(10);

  const { result } = await system.job(job.id);
  const completed = receiver.received('/own').map(({ event }) => event);
  expect(completed.find(({ type }) => type === 'job.completed')?.data).toMatchObject({ result });
  const told = await receiver.until('/everything', (some) => types(some).includes('job.completed'));
  expect(types(ofJob(told, job.id))).toEqual(['job.progress', 'job.completed']);
  expect((await webhooks.get(everything.id)).status).toBe('enabled');
  await Promise.all([webhooks.disable(all.id), webhooks.disable(everything.id)]);
});

test('a job that fails, and one that is cancelled and tried again, say so', async () => {
  const { job_id } = await webhooks.submit(receiver.at('/ends'));
  const job = new DrivenJob(system.url, job_id);
  await job.begin();
  await job.fail({ code: 'not_media', message: 'This is no video.', retryable: false });
  const failed = await receiver.until('/ends', (some) => types(some).includes('job.failed'));
  const error = { code: 'not_media', message: 'This is no video.', retryable: false };
  expect(failed.at(-1)?.event).toMatchObject({ type: 'job.failed', data: { job_id, status: 'failed', error } });

  await fetch(`${system.url}/jobs/${job_id}/retry`, { method: 'POST' });
  await cancel(job_id);
  const cancelled = await receiver.until('/ends', (some) => types(some).includes('job.cancelled'));
  expect(cancelled.at(-1)?.event).toMatchObject({
    type: 'job.cancelled',
    data: { status: 'cancelled', by: 'the API' },
  });
  expect(types(cancelled)).toEqual(['job.created', 'job.failed', 'job.cancelled']);
});

test('one endpoint that never answers does not delay another, nor other events of its own', async () => {
  const dead = await webhooks.make(receiver.at('/dead', () => undefined));
  const jobs = await Promise.all(Array.from({ length: 7 }, () => webhooks.submit(receiver.at('/alive'))));
  await receiver.until('/alive', ({ length }) => length === jobs.length);
  await Promise.all(jobs.map(({ job_id }) => cancel(job_id)));
  await receiver.until('/alive', ({ length }) => length === 2 * jobs.length);
  await receiver.until('/dead', ({ length }) => length >= 5);
  expect((await webhooks.deliveries(dead.id)).every(({ attempts }) => attempts.length === 0)).toBe(true);
  expect(receiver.mostAtOnce('/dead')).toBe(5);
  expect(new Set(receiver.received('/dead').map(({ event }) => 'job_id' in event.data && event.data.job_id)).size).toBe(
    5,
  );
  await webhooks.disable(dead.id);
});

test('the events of a job are sent one at a time', async () => {
  const { promise: bothAreThere, resolve: answer } = Promise.withResolvers<void>();
  const slow = receiver.at('/slow', async (response, nth) => {
    if (nth === 1) await bothAreThere;
    response.writeHead(200).end();
  });
  const { job_id, webhook } = await webhooks.submit(slow);
  await cancel(job_id);
  await expect.poll(async () => (await webhooks.deliveries(webhook?.id ?? '')).length, PATIENT).toBe(2);
  answer();
  await receiver.until('/slow', ({ length }) => length === 2);
  expect(receiver.mostAtOnce('/slow')).toBe(1);
  expect(types(receiver.received('/slow'))).toEqual(['job.created', 'job.cancelled']);
});

test('a failed event holds later ones neither of its job nor of others', async () => {
  const refusing = receiver.at('/picky', (response, _, { event }) => {
    response.writeHead(event.type === 'job.created' ? 500 : 204).end();
  });
  const { job_id, webhook } = await webhooks.submit(refusing);
  await receiver.until('/picky', ({ length }) => length === 1);
  await cancel(job_id);
  const received = await receiver.until('/picky', (some) => types(some).includes('job.cancelled'));
  expect(types(received).filter((type) => type === 'job.created').length).toBeLessThan(4);
  await webhooks.disable(webhook?.id ?? '');
});

test('an edge that restarts in the middle of a backoff loses nothing and sends it under the same id', async () => {
  let isUp = false;
  const url = receiver.at('/backoff', (response, nth) => {
    response.writeHead(isUp ? 204 : 503, nth === 2 ? { 'Retry-After': '3' } : {}).end();
  });
  const { webhook } = await webhooks.submit(url);
  await expect.poll(async () => (await webhooks.delivery(webhook?.id ?? '')).attempts.length, PATIENT).toBe(2);
  isUp = true;
  await system.restart();
  await receiver.until('/backoff', ({ length }) => length > 2);
  expect(ids(receiver.received('/backoff'))).toHaveLength(1);
  await expect.poll(async () => (await webhooks.delivery(webhook?.id ?? '')).state, PATIENT).toBe('delivered');
});

test('what was being sent when the edge restarted is sent again under the same id, and the log says so', async () => {
  const url = receiver.at('/in-flight', (response, nth) => {
    if (nth > 1) response.writeHead(204).end();
  });
  const { webhook } = await webhooks.submit(url);
  await receiver.until('/in-flight', ({ length }) => length === 1);
  await system.restart();
  await webhooks.get(webhook?.id ?? '');
  const received = await receiver.until('/in-flight', ({ length }) => length === 2);
  expect(ids(received)).toHaveLength(1);
  await expect.poll(async () => (await webhooks.delivery(webhook?.id ?? '')).state, PATIENT).toBe('delivered');
  const { attempts } = await webhooks.delivery(webhook?.id ?? '');
  expect(attempts.map(({ status, error }) => error ?? status)).toEqual(['interrupted', 204]);
});

test(
  'while a receiver is down one event at a time is tried; once it is back all of them arrive',
  async () => {
    const JOBS = LONG ? 500 : 15;
    let isUp = false;
    const url = receiver.at('/down', (response) => void response.writeHead(isUp ? 204 : 503).end());
    const first = await webhooks.submit(url);
    const id = first.webhook?.id ?? '';
    await expect.poll(async () => (await webhooks.get(id)).status, PATIENT).toBe('failing');
    expect((await webhooks.get(id)).trouble).toMatchObject({
      code: 'failing',
      message: expect.stringContaining('HTTP 503'),
    });

    receiver.mostAtOnce('/down');
    const jobs = [first];
    while (jobs.length < JOBS) {
      jobs.push(...(await Promise.all(Array.from({ length: 7 }, () => webhooks.submit(url)))));
      await Promise.all(jobs.slice(-7).map(({ job_id }) => cancel(job_id)));
    }
    await cancel(first.job_id);
    await expect.poll(async () => (await webhooks.deliveries(id)).length, PATIENT).toBe(2 * jobs.length);
    const probed = receiver.received('/down').length;
    await receiver.until('/down', ({ length }) => length > probed + 2);
    expect(receiver.mostAtOnce('/down')).toBe(1);

    isUp = true;
    const down = receiver.received('/down').length;
    const arrived = () => receiver.received('/down').slice(down);
    await receiver.until('/down', () => ids(arrived()).length >= 2 * jobs.length - 1);
    await expect
      .poll(async () => (await webhooks.deliveries(id)).filter(({ state }) => state !== 'delivered'), PATIENT)
      .toEqual([]);
    expect((await webhooks.get(id)).status).toBe('enabled');
    const told = new Set(receiver.received('/down').map(({ event }) => keyOf(event)));
    expect(told).toEqual(new Set(jobs.flatMap(({ job_id }) => [`${job_id} job.created`, `${job_id} job.cancelled`])));
    const deliveries = await webhooks.deliveries(id);
    for (const { attempts } of deliveries) expect(attempts.filter(({ probe }) => !probe).length).toBeLessThanOrEqual(6);
    expect(deliveries.some(({ attempts }) => attempts.some(({ probe }) => probe))).toBe(true);
  },
  LONG ? 600_000 : 60_000,
);

const keyOf = ({ type, data }: WebhookEvent): string => `${'job_id' in data ? data.job_id : ''} ${type}`;

test('after a rotation both secrets sign, until the old one has had its time', async () => {
  const { id, secret: old } = await webhooks.make(receiver.at('/rotated'));
  const sent = async (nth: number): Promise<Received> => {
    await webhooks.test(id);
    const received = (await receiver.until('/rotated', ({ length }) => length === nth))[nth - 1];
    if (!received) throw new Error('Nothing came');
    return received;
  };
  const first = await sent(1);
  expect([isSignedWith(old, first), isSignedWith('whsec_AAAA', first)]).toEqual([true, false]);

  const { secret: current } = await webhooks.rotate(id);
  expect(current).not.toBe(old);
  const second = await sent(2);
  expect([isSignedWith(old, second), isSignedWith(current, second)]).toEqual([true, true]);

  const { secret: last } = await webhooks.rotate(id, { overlap_seconds: 0 });
  const third = await sent(3);
  expect([old, current, last].map((one) => isSignedWith(one, third))).toEqual([false, false, true]);
});

test('an event can be sent again, delivered or failed, under its id and in the same words', async () => {
  let status = 204;
  const { id } = await webhooks.make(receiver.at('/again', (response) => void response.writeHead(status).end()));
  const { event_id } = await webhooks.test(id);
  const attempts = async () => (await webhooks.delivery(id, event_id)).attempts.length;
  const state = async () => (await webhooks.delivery(id, event_id)).state;
  await expect.poll(state).toBe('delivered');
  status = 500;
  await webhooks.redeliver(id, event_id);
  await expect.poll(attempts).toBe(2);
  status = 200;
  await expect.poll(state).toBe('delivered');
  const received = receiver.received('/again');
  expect(ids(received)).toEqual([event_id]);
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
});

test('a test event is sent at once, even while the receiver is failing, and a success ends that', async () => {
  let isUp = false;
  const url = receiver.at('/tested', (response) => void response.writeHead(isUp ? 204 : 500).end());
  const { id } = await webhooks.make(url);
  const kept = await webhooks.test(id);
  await expect.poll(async () => (await webhooks.get(id)).status, PATIENT).toBe('failing');
  isUp = true;
  const { event_id } = await webhooks.test(id);
  for (const event of [event_id, kept.event_id]) {
    await expect.poll(async () => (await webhooks.delivery(id, event)).state, PATIENT).toBe('delivered');
  }
  expect((await webhooks.get(id)).status).toBe('enabled');
});

test('a disabled endpoint keeps events of the jobs it knows, and gets them when it is enabled', async () => {
  const { job_id, webhook } = await webhooks.submit(receiver.at('/disabled', answering(410)));
  const id = webhook?.id ?? '';
  await expect.poll(async () => (await webhooks.get(id)).trouble?.code, PATIENT).toBe('gone');
  await cancel(job_id);
  await expect.poll(async () => (await webhooks.deliveries(id)).length, PATIENT).toBe(2);
  receiver.at('/disabled');
  expect(receiver.received('/disabled')).toHaveLength(1);
  await expect(webhooks.test(id)).rejects.toThrow('webhook_disabled');
  expect(await webhooks.enable(id)).toMatchObject({ status: 'enabled', trouble: null });
  const received = await receiver.until('/disabled', ({ length }) => length === 3);
  expect(types(received)).toEqual(['job.created', 'job.created', 'job.cancelled']);
});

test('nothing of all this was a complaint', () => {
  expect(system.complaints()).toEqual([]);
});
