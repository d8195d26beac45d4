/** What becomes of an event, by what its receiver does: how often it is tried, when, and what the log of attempts says. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Attempt, Delivery, Webhook } from '../../src/contract/webhooks.ts';
import { type DirectEdge, startDirectEdge } from './direct-edge.ts';
import { answering, type Behaviour, isSignedWith, Receiver } from './receiver.ts';
import { WebhookCalls } from './webhook-calls.ts';
import { WRONG_CERTIFICATE } from './wrong-certificate.ts';

const SCHEDULE = [0, 100, 200, 400];
const TIMEOUT = 2000;
const VARS = {
  ALLOW_PRIVATE_URLS: '1',
  WEBHOOK_SCHEDULE_MS: SCHEDULE.join(),
  WEBHOOK_TIMEOUT_MS: String(TIMEOUT),
};

let edge: DirectEdge;
let receiver: Receiver;
let webhooks: WebhookCalls;
beforeAll(async () => {
  [edge, receiver] = await Promise.all([startDirectEdge(VARS), Receiver.start()]);
  webhooks = new WebhookCalls(edge.url);
});
afterAll(() => Promise.all([edge.stop(), receiver.close()]));

interface Expected {
  attempts: Partial<Attempt>[];
  state: Delivery['state'];
  endpoint?: Webhook['status'];
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const ALL = SCHEDULE.length;

/** Sends the head of an answer, and the body as far as the socket takes it. */
const endless: Behaviour = (response) => {
  response.writeHead(200);
  const more = (): void => {
    while (response.write('x'.repeat(65_536))) {
      // As much as goes out at once.
    }
  };
  response.on('drain', more);
  more();
};

const CASES: [string, Behaviour, Expected][] = [
  [
    '200',
    answering(200, {}, 'thanks'),
    { attempts: [{ status: 200, answer: 'thanks', error: null }], state: 'delivered' },
  ],
  ['204', answering(204), { attempts: [{ status: 204, answer: '', error: null }], state: 'delivered' }],
  [
    '301',
    answering(301, { Location: '/elsewhere' }),
    { attempts: times(ALL, { status: 301, error: 'redirect' }), state: 'failed' },
  ],
  [
    '400',
    answering(400, {}, 'what?'),
    { attempts: times(ALL, { status: 400, answer: 'what?', error: 'http_error' }), state: 'failed' },
  ],
  ['410', answering(410), { attempts: [{ status: 410, error: 'gone' }], state: 'pending', endpoint: 'disabled' }],
  [
    '500 twice',
    (response, nth) => void response.writeHead(nth <= 2 ? 500 : 200).end(),
    {
      attempts: [{ status: 500 }, { status: 500, error: 'http_error' }, { status: 200, error: null }],
      state: 'delivered',
    },
  ],
  ['503', answering(503), { attempts: times(ALL, { status: 503, error: 'http_error' }), state: 'failed' }],
  [
    'slow',
    (response) => setTimeout(() => response.writeHead(200).end(), TIMEOUT / 2),
    { attempts: [{ status: 200, error: null }], state: 'delivered' },
  ],
  [
    'reset',
    (response) => void response.socket?.resetAndDestroy(),
    { attempts: times(ALL, { status: null, answer: null, error: 'connection_failed' }), state: 'failed' },
  ],
  ['silent', () => undefined, { attempts: times(ALL, { status: null, error: 'timeout' }), state: 'failed' }],
  [
    'half an answer',
    (response) => void response.writeHead(200, { 'Content-Length': '100' }).write('half of'),
    { attempts: [{ status: 200, answer: 'half of', error: null }], state: 'delivered' },
  ],
  ['endless', endless, { attempts: [{ status: 200, answer: 'x'.repeat(1024), error: null }], state: 'delivered' }],
  [
    'bytes that are no text',
    (response) => void response.writeHead(500).end(Buffer.from([0xff, 0xfe, 0x00, 0x41])),
    { attempts: times(ALL, { status: 500, answer: '\ufffd\ufffd\0A' }), state: 'failed' },
  ],
];

test.concurrent.for(CASES)('%s', async ([name, behaviour, expected], { expect }) => {
  const { attempts, state, endpoint = 'enabled' } = expected;
  const path = `/${encodeURIComponent(name)}`;
  const { id, secret } = await webhooks.make(receiver.at(path, behaviour));
  const { event_id } = await webhooks.test(id);
  await expect
    .poll(async () => (await webhooks.delivery(id)).attempts.length, { timeout: 20_000, interval: 200 })
    .toBe(attempts.length);
  const delivery = await webhooks.delivery(id);
  expect(delivery).toMatchObject({ event_id, type: 'webhook.test', job_id: null, seq: null, state });
  expect(delivery.attempts).toMatchObject(attempts);
  expect((await webhooks.get(id)).status).toBe(endpoint);

  const received = receiver.received(path);
  expect(received.map((one) => [one.id, isSignedWith(secret, one)])).toEqual(times(attempts.length, [event_id, true]));
  for (const [i, { at }] of received.slice(1).entries()) {
    const gap = at - (received[i]?.at ?? 0);
    expect(gap).toBeGreaterThanOrEqual(SCHEDULE[i + 1] ?? 0);
    expect(gap).toBeLessThan((SCHEDULE[i + 1] ?? 0) * 1.2 + TIMEOUT + 2000);
  }
});

test.concurrent.for<[string, () => string]>([
  ['seconds', () => '1'],
  ['a date', () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000).toUTCString()],
])('429 with Retry-After as %s: nothing is sent before', async ([name, retryAfter], { expect }) => {
  const path = `/429-${encodeURIComponent(name)}`;
  const busy: Behaviour = (response, nth) => {
    if (nth > 1) response.writeHead(204).end();
    else response.writeHead(429, { 'Retry-After': retryAfter() }).end();
  };
  const { id } = await webhooks.make(receiver.at(path, busy));
  const { event_id } = await webhooks.test(id);
  await receiver.until(path, ({ length }) => length === 1);
  await expect.poll(async () => (await webhooks.delivery(id, event_id)).attempts.length).toBe(1);
  const other = await webhooks.test(id);
  const [first, ...others] = await receiver.until(path, ({ length }) => length === 3);
  for (const { at } of others) expect(at - (first?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  for (const event of [event_id, other.event_id]) {
    await expect.poll(async () => (await webhooks.delivery(id, event)).state).toBe('delivered');
  }
});

test('a certificate that is not for this host: the event is not sent', async () => {
  const taken: unknown[] = [];
  const server = createServer(WRONG_CERTIFICATE, (request) => taken.push(request.url));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { id } = await webhooks.make(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await webhooks.test(id);
  await expect.poll(async () => (await webhooks.delivery(id)).state, { timeout: 20_000 }).toBe('failed');
  const { attempts } = await webhooks.delivery(id);
  expect(attempts.map(({ error }) => error)).toEqual(times(ALL, 'connection_failed'));
  expect(taken).toEqual([]);
});

test('a redirect is not followed', () => {
  expect(receiver.received('/elsewhere')).toEqual([]);
});
