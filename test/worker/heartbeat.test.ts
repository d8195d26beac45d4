/** A silent stream is kept alive, and a watcher that went away in the silence is found by it. */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import type { Job } from '../../src/durable/job/job.ts';
import { HEARTBEAT_MS } from '../../src/durable/job/watchers.ts';
import { call, env, lease, submit } from './edge.ts';

test('after fifteen seconds of silence a comment comes, and whoever left is forgotten', async () => {
  const id = await submit();
  await lease(id);
  const [stays, leaves] = await Promise.all([call(`/jobs/${id}/stream`), call(`/jobs/${id}/stream`)]);
  const silentSince = Date.now();
  const text = stays.body?.pipeThrough(new TextDecoderStream()).getReader();
  await leaves.body?.cancel();
  let received = '';
  while (!received.endsWith(': heartbeat\n\n')) received += (await text?.read())?.value ?? '';
  expect(Date.now() - silentSince).toBeGreaterThan(HEARTBEAT_MS - 1000);
  await expect.poll(() => runInDurableObject(env.JOB.getByName(id), (instance: Job) => instance.watching)).toBe(1);
  await text?.cancel();
}, 30_000);
