/** Receivers check signatures with the libraries of others: Standard Webhooks, and Svix. */
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebhookEvent } from '../../src/contract/webhooks.ts';
import { type Received, Receiver } from './receiver.ts';
import { System } from './system.ts';
import { WebhookCalls } from './webhook-calls.ts';

let system: System;
let receiver: Receiver;
let webhooks: WebhookCalls;
beforeAll(async () => {
  [system, receiver] = await Promise.all([System.start({ ALLOW_PRIVATE_URLS: '1' }), Receiver.start()]);
  webhooks = new WebhookCalls(system.url);
});
afterAll(() => Promise.all([system.stop(), receiver.close()]));

/** The nth request at `path`, once it has come. */
async function nth(path: string, n: number): Promise<Received> {
  const received = (await receiver.until(path, ({ length }) => length >= n))[n - 1];
  if (!received) throw new Error('Nothing came');
  return received;
}

test.each<[string, (secret: string, { body, headers }: Received) => unknown]>([
  ['standardwebhooks', (secret, { body, headers }) => new StandardWebhook(secret).verify(body, headers)],
  ['svix', (secret, { body, headers }) => new SvixWebhook(secret).verify(body, headers)],
])('%s accepts what we sign, during a rotation with either secret, and nothing else', async (name, verify) => {
  const accepted = await webhooks.submit(receiver.at(`/${name}`), { key: 'süß', metadata: '{"emoji":"🎬"}' });
  const { id, secret } = accepted.webhook ?? {};
  if (!id || !secret) return expect.unreachable();
  const first = await nth(`/${name}`, 1);
  verify(secret, first);
  expect(WebhookEvent.parse(JSON.parse(first.body)).data).toMatchObject({ key: 'süß', metadata: { emoji: '🎬' } });
  const forged = { ...first, body: first.body.replace('job.created', 'job.deleted') };
  expect(() => verify(secret, forged)).toThrow('No matching signature');
  const replayed = { ...first, headers: { ...first.headers, 'webhook-timestamp': '1700000000' } };
  expect(() => verify(secret, replayed)).toThrow('too old');

  const { secret: current } = await webhooks.rotate(id);
  expect(() => verify(current, first)).toThrow('No matching signature');
  await webhooks.test(id);
  const second = await nth(`/${name}`, 2);
  verify(secret, second);
  verify(current, second);
});
