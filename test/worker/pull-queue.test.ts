/** The local pull queue through the official SDK, as a transcoder uses it. */
import Cloudflare from 'cloudflare';
import { expect, test } from 'vitest';
import { call, env, ORIGIN, post, problemOf } from './edge.ts';

const sdk = new Cloudflare({
  baseURL: `${ORIGIN}/client/v4`,
  apiToken: 'local',
  maxRetries: 0,
  fetch: (address, init) => call(String(address), init as RequestInit),
});
const account_id = 'local';

async function filled(queue: string, ...bodies: string[]): Promise<void> {
  for (const [i, body] of bodies.entries())
    await env.PULL_QUEUE?.getByName(queue).push(`id-${body}`, JSON.stringify({ body }), i);
}

const pull = async (queue: string, visibility_timeout_ms = 60_000, batch_size = 10) =>
  (await sdk.queues.messages.pull(queue, { account_id, batch_size, visibility_timeout_ms })).messages ?? [];

test('a pulled message is hidden until its time is over, then comes again and counts its attempts', async () => {
  await filled('hidden', 'a');
  expect(await pull('hidden', 0)).toMatchObject([{ body: '{"body":"a"}', attempts: 1 }]);
  expect(await pull('hidden')).toMatchObject([{ attempts: 2 }]);
  expect(await pull('hidden')).toEqual([]);
});

test('messages come oldest first, at most as many as were asked for', async () => {
  await filled('order', 'a', 'b', 'c');
  expect((await pull('order', 60_000, 2)).map(({ id }) => id)).toEqual(['id-a', 'id-b']);
  expect((await pull('order', 60_000, 2)).map(({ id }) => id)).toEqual(['id-c']);
});

test('an acknowledged message is gone; one sent back comes again', async () => {
  await filled('acks', 'a', 'b');
  const [a, b] = await pull('acks');
  const acks = [{ lease_id: a?.lease_id ?? '' }];
  const retries = [{ lease_id: b?.lease_id ?? '', delay_seconds: 0 }];
  expect(await sdk.queues.messages.ack('acks', { account_id, acks, retries })).toMatchObject({
    ackCount: 1,
    retryCount: 1,
    warnings: {},
  });
  expect((await pull('acks')).map(({ id }) => id)).toEqual(['id-b']);
});

test('an acknowledgement that comes too late is a warning, and the message comes again', async () => {
  await filled('late', 'a');
  const [first] = await pull('late', 0);
  const lease_id = first?.lease_id ?? '';
  const answer = await sdk.queues.messages.ack('late', { account_id, acks: [{ lease_id }] });
  expect([answer.ackCount, Object.keys(answer.warnings ?? {})]).toEqual([0, [lease_id]]);
  expect(await pull('late')).toHaveLength(1);
});

test('a message handed over twice is one message', async () => {
  await filled('twice', 'a');
  await filled('twice', 'a');
  expect(await pull('twice')).toHaveLength(1);
});

test('limits of the real API hold here too', async () => {
  for (const body of [
    { batch_size: 101 },
    { batch_size: 0 },
    { visibility_timeout_ms: 43_200_001 },
    { batch_size: 'x' },
  ]) {
    const answer = await post('/client/v4/accounts/a/queues/limits/messages/pull', body);
    expect(await problemOf(answer)).toMatchObject({ code: 'invalid_request' });
  }
  expect((await post('/client/v4/accounts/a/queues/limits/messages/pull', { batch_size: 100 })).status).toBe(200);
});
