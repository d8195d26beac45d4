/** The edge whose platform fails as ordered: the orders are obeyed to the letter, and the product knows none. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { Problem } from '../../src/contract/errors.ts';
import type { System } from '../e2e/system.ts';
import { sendOrders } from './conductor.ts';
import { startFaultyEdge } from './edge.ts';
import { Counts, FAULTS_PATH, type Order } from './orders.ts';

let system: System;
beforeAll(async () => {
  system = await startFaultyEdge();
});
afterAll(() => system.stop());

const spoil = (binding: Order['binding'], how: Order['how'], skip = 0): Promise<void> =>
  sendOrders(system, [{ binding, how, skip, calls: 1 }]);

const submit = (priority: string): Promise<Response> => {
  const options = encodeURIComponent(JSON.stringify({ priority }));
  const headers = { 'Content-Type': 'application/octet-stream' };
  return fetch(`${system.url}/process?options=${options}`, { method: 'POST', body: 'no video', headers });
};

async function pulled(queue: string): Promise<number> {
  const address = `${system.url}/client/v4/accounts/local/queues/${queue}/messages/pull`;
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(address, { method: 'POST', body: JSON.stringify({ batch_size: 100 }), headers });
  const { result } = z.object({ result: z.object({ messages: z.array(z.unknown()) }) }).parse(await answer.json());
  return result.messages.length;
}

test('an error of the list is for one call, after those that were let pass', async () => {
  const list = async () => (await fetch(`${system.url}/jobs`)).status;
  expect(await list()).toBe(200);
  await spoil('DB', 'refused', 1);
  expect([await list(), await list(), await list()]).toEqual([200, 503, 200]);
  await spoil('DB', 'unanswered');
  expect([await list(), await list()]).toEqual([503, 200]);
});

test('storage that refuses the source refuses the job, and takes the next one', async () => {
  await spoil('INPUT', 'refused');
  expect(Problem.parse(await (await submit('normal')).json()).code).toBe('internal');
  expect((await submit('normal')).status).toBe(202);
});

test('a message is sent twice, or not at all until it is due again', async () => {
  await spoil('TRANSCODE_QUEUE_HIGH', 'doubled');
  await submit('high');
  await expect.poll(() => pulled('reelwire-transcode-high')).toBe(2);
  await spoil('TRANSCODE_QUEUE_HIGH', 'dropped');
  await submit('high');
  const counts = async () => Counts.parse(await (await fetch(system.url + FAULTS_PATH)).json());
  await expect.poll(counts).toMatchObject({ queue_doubled: 1, queue_dropped: 1 });
  await expect.poll(() => pulled('reelwire-transcode-high'), { timeout: 10_000 }).toBeGreaterThan(0);
});

test('orders that are taken back are not obeyed', async () => {
  await spoil('DB', 'refused');
  await fetch(system.url + FAULTS_PATH, { method: 'DELETE' });
  expect((await fetch(`${system.url}/jobs`)).status).toBe(200);
});
