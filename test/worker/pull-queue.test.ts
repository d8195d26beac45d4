/** The local pull queue, by the calls of Cloudflare's API; that the official SDK understands it, every job of test/e2e shows. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { env, post, problemOf } from './edge.ts';

const Message = z.object({ id: z.string(), body: z.string(), attempts: z.number(), lease_id: z.string() });
const Pulled = z.object({ success: z.literal(true), result: z.object({ messages: z.array(Message) }) });
const Settled = z.object({
  success: z.literal(true),
  result: z.object({ ackCount: z.number(), retryCount: z.number(), warnings: z.record(z.string(), z.string()) }),
});

async function filled(queue: string, ...bodies: string[]): Promise<void> {
  for (const [i, body] of bodies.entries())
    await env.PULL_QUEUE?.getByName(queue).push(`id-${body}`, JSON.stringify({ body }), i);
}

const messages = (queue: string, what: 'pull' | 'ack', body: object): Promise<Response> =>
  post(`/client/v4/accounts/local/queues/${queue}/messages/${what}`, body);

async function pull(
  queue: string,
  visibility_timeout_ms = 60_000,
  batch_size = 10,
): Promise<z.infer<typeof Message>[]> {
  const answer = await messages(queue, 'pull', { batch_size, visibility_timeout_ms });
  return Pulled.parse(await answer.json()).result.messages;
}

async function ack(queue: string, settled: object): Promise<z.infer<typeof Settled>['result']> {
  return Settled.parse(await (await messages(queue, 'ack', settled)).json()).result;
}

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
  expect(await ack('acks', { acks, retries })).toMatchObject({
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
  const answer = await ack('late', { acks: [{ lease_id }] });
  expect([answer.ackCount, Object.keys(answer.warnings)]).toEqual([0, [lease_id]]);
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
