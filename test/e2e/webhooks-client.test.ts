/** `client.webhooks` and `webhookUrl` against the real edge: every call, what it answers, what is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiError, Reelwire } from '../../client/index.ts';
import { isSignedWith, Receiver } from './receiver.ts';
import { System } from './system.ts';

let system: System;
let receiver: Receiver;
let client: Reelwire;
beforeAll(async () => {
  [system, receiver] = await Promise.all([System.start({ ALLOW_PRIVATE_URLS: '1' }), Receiver.start()]);
  client = new Reelwire({ url: system.url });
});
afterAll(() => Promise.all([system.stop(), receiver.close()]));

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error) => error,
  );

test('an endpoint from its beginning to its end', async () => {
  const url = receiver.at('/life');
  const { secret, ...made } = await client.webhooks.create({ url, events: ['job.failed'], description: 'for billing' });
  expect(await client.webhooks.get(made.id)).toEqual(made);
  expect(await client.webhooks.list()).toEqual({ webhooks: [made], next_cursor: null });
  const changed = await client.webhooks.update(made.id, { description: null });
  expect(changed).toMatchObject({ id: made.id, description: null, events: ['job.failed'] });

  const { event_id } = await client.webhooks.test(made.id);
  const [first] = await receiver.until('/life', ({ length }) => length === 1);
  expect(first && [first.id, isSignedWith(secret, first)]).toEqual([event_id, true]);
  const state = async () => (await client.webhooks.deliveries(made.id)).deliveries[0]?.state;
  await expect.poll(state).toBe('delivered');

  const rotated = await client.webhooks.rotate(made.id, { overlapSeconds: 0 });
  await client.webhooks.redeliver(made.id, event_id);
  const again = (await receiver.until('/life', ({ length }) => length === 2))[1];
  expect(again && [again.id, isSignedWith(rotated.secret, again), isSignedWith(secret, again)]).toEqual([
    event_id,
    true,
    false,
  ]);

  expect(await client.webhooks.disable(made.id)).toMatchObject({ status: 'disabled' });
  expect(await failure(client.webhooks.test(made.id))).toMatchObject({ status: 409, code: 'webhook_disabled' });
  expect(await client.webhooks.enable(made.id)).toMatchObject({ status: 'enabled' });
  expect(await client.webhooks.delete(made.id)).toEqual({ id: made.id, status: 'deleted' });
  expect(await failure(client.webhooks.get(made.id))).toMatchObject({ status: 404, code: 'webhook_not_found' });
});

test('lists are read in pages', async () => {
  const url = receiver.at('/pages');
  const made = [await client.webhooks.create({ url }), await client.webhooks.create({ url })];
  const first = await client.webhooks.list({ limit: 1 });
  const second = await client.webhooks.list({ limit: 1, cursor: first.next_cursor });
  expect(new Set([...first.webhooks, ...second.webhooks].map(({ id }) => id))).toEqual(
    new Set(made.map(({ id }) => id)),
  );
  expect(second.next_cursor).toBeNull();

  const id = made[0]?.id ?? '';
  const sent = [await client.webhooks.test(id), await client.webhooks.test(id)];
  const newest = await client.webhooks.deliveries(id, { limit: 1 });
  const oldest = await client.webhooks.deliveries(id, { limit: 1, cursor: newest.next_cursor });
  const ids = [...newest.deliveries, ...oldest.deliveries].map(({ event_id }) => event_id);
  expect([ids, oldest.next_cursor]).toEqual([sent.map(({ event_id }) => event_id).toReversed(), null]);
  await Promise.all(made.map((one) => client.webhooks.delete(one.id)));
});

test('submit() with webhookUrl gets the secret once, and the receiver the events', async () => {
  const webhookUrl = receiver.at('/own');
  const first = await client.jobs.submit(new Blob(['no video']), { webhookUrl });
  const second = await client.jobs.submit(new Blob(['no video']).stream(), { webhookUrl });
  expect(second.webhook).toEqual({ id: first.webhook?.id, secret: null });
  const received = await receiver.until('/own', ({ length }) => length === 2);
  expect(received.map((one) => isSignedWith(first.webhook?.secret ?? '', one))).toEqual([true, true]);
  const refused = await failure(client.jobs.submit(new Blob(['no video']), { webhookUrl: 'ftp://example.com' }));
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ status: 400, code: 'invalid_url' });
});

test('an id that is none is refused before anything is sent', async () => {
  await expect(client.webhooks.get('')).rejects.toThrow(TypeError);
});
