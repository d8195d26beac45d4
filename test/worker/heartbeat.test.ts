/** What time does to a stream: silence is broken, who left is found by it, and who takes nothing is let go. */
import { runInDurableObject } from 'cloudflare:test';
import { test } from 'vitest';
import type { Job } from '../../src/durable/job/job.ts';
import { HEARTBEAT_MS, PATIENCE_MS } from '../../src/durable/job/watchers.ts';
import { call, env, lease, post, report, submit } from './edge.ts';
import { EventReader } from './events.ts';

const watchers = (id: string): Promise<number> =>
  runInDurableObject(env.JOB.getByName(id), (instance: Job) => instance.watching.watchers);

test.concurrent('after fifteen seconds of silence a comment comes, and whoever left is forgotten', async ({
  expect,
}) => {
  const id = await submit();
  await lease(id);
  const [stays, leaves] = await Promise.all([call(`/jobs/${id}/stream`), call(`/jobs/${id}/stream`)]);
  const silentSince = Date.now();
  const text = stays.body?.pipeThrough(new TextDecoderStream()).getReader();
  await leaves.body?.cancel();
  let received = '';
  while (!received.endsWith(': heartbeat\n\n')) received += (await text?.read())?.value ?? '';
  expect(Date.now() - silentSince).toBeGreaterThan(HEARTBEAT_MS - 1000);
  await expect.poll(() => watchers(id)).toBe(1);
  await text?.cancel();
}, 30_000);

test.concurrent('who takes nothing for half a minute is closed and may resume; nobody else notices', async ({
  expect,
}) => {
  const id = await submit();
  const number = await lease(id);
  const [stuck, well] = [await call(`/jobs/${id}/stream`), new EventReader(await call(`/jobs/${id}/stream`))];
  await well.next();
  const warning = (n: number) => ({
    type: 'warning' as const,
    code: 'decode_errors' as const,
    message: `warning ${n}`,
    details: { text: 'x'.repeat(4000) },
  });
  const COUNT = 40;
  for (let n = 1; n <= COUNT; n += 1) await report(id, number, n, { entries: [warning(n)] });
  const seen = (await well.until(({ data }) => data.message === `warning ${COUNT}`)).map((event) => event.id);
  expect(await watchers(id)).toBe(2);

  const since = Date.now();
  await expect.poll(() => watchers(id), { timeout: 2 * PATIENCE_MS, interval: 500 }).toBe(1);
  expect(Date.now() - since).toBeGreaterThan(PATIENCE_MS - 5000);

  const late = new EventReader(stuck);
  const part = (await late.rest()).filter(({ event }) => event !== 'status').map((event) => event.id);
  expect(part.length).toBeLessThan(COUNT);
  const again = new EventReader(await call(`/jobs/${id}/stream?last_event_id=${part.at(-1)}`));
  await post(`/jobs/${id}/cancel`, {});
  // On a slow machine its lease may have run out meanwhile, which is a warning too.
  const rest = (await again.rest())
    .filter(({ data }) => String(data.message).startsWith('warning '))
    .map((event) => event.id);
  expect([...part, ...rest]).toEqual(seen);
  expect((await well.rest()).at(-1)?.event).toBe('cancelled');
}, 90_000);
