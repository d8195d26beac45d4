/** `npm run cost`, as people run it, on a job that has been through the edge. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ITEMS } from '../../tools/cost/prices.ts';
import { addKey } from '../e2e/add-key.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { System } from '../e2e/system.ts';
import { Running, tool } from './running.ts';

const COST = tool('cost.ts');

let system: System;
let key: string;
beforeAll(async () => {
  system = await System.start();
  key = await addKey(system.worker, 'admin');
});
afterAll(() => system.stop());

async function cost(...args: string[]) {
  const running = new Running(null, [COST, ...args], { REELWIRE_KEY: key });
  return { code: await running.exit, out: running.stdout, err: running.stderr };
}

test('says what a job used and costs, for one and for many; refuses what it cannot count', async () => {
  const job = await DrivenJob.submit(system.url);
  await job.begin();
  await job.complete();
  const at = ['--edge', system.url, '--json', '--watchers', '3'];
  const Answer = z.object({
    items: z.array(z.object({ item: z.enum(ITEMS), count: z.number(), dollars: z.number() })),
    dollars: z.number(),
  });
  const one = await cost(job.id, ...at);
  expect([one.code, one.err]).toEqual([0, '']);
  const { items, dollars } = Answer.parse(JSON.parse(one.out));
  expect(items.map(({ item }) => item)).toEqual(ITEMS);
  expect(items.find(({ item }) => item === 'queue_operations')?.count).toBe(3);
  expect(dollars).toBeGreaterThan(0);
  const inWords = await cost(job.id, '--edge', system.url);
  expect([inWords.code, inWords.err]).toEqual([0, '']);
  expect(inWords.out.trimEnd().split('\n')).toHaveLength(ITEMS.length + 1);
  expect(inWords.out).toMatch(/ 3 {2}queue operations +\$0\.000001/);
  const many = Answer.parse(JSON.parse((await cost(job.id, ...at, '--jobs', '1000')).out));
  expect(many.dollars).toBeCloseTo(1000 * dollars, 9);

  const nobody = await cost(job.id, '--edge', 'http://127.0.0.1:1');
  expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('Nobody answers at http://127.0.0.1:1')]);
  const unusable = await cost('x');
  expect([unusable.code, unusable.err]).toEqual([2, expect.stringContaining('Usage: npm run cost')]);
});

test('Ctrl-C ends it without a word, also while nobody answers', async () => {
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const asking = new Running(null, [COST, crypto.randomUUID(), '--edge', `http://127.0.0.1:${port}`], {});
  const [socket] = await once(silent, 'connection');
  asking.send('SIGINT');
  expect([await asking.exit, asking.stdout, asking.stderr]).toEqual([130, '', '']);
  socket.destroy();
  silent.close();
});
