/** What a job tells the list of jobs and the queue, when these are slow or down. */
import { describe, expect, test } from 'vitest';
import type { JobSummary } from '../../src/contract/api.ts';
import { fire, secondsUntil, timer, withBindings } from './clock.ts';
import { call, env, lease, makeOutputs, post, report, submit } from './edge.ts';

const listed = async (id: string): Promise<JobSummary | null> => {
  const row = await env.DB.prepare('SELECT summary FROM jobs WHERE id = ?').bind(id).first<{ summary: string }>();
  return row && JSON.parse(row.summary);
};

const broken = {
  prepare: () => {
    throw new Error('D1 is down');
  },
};

describe('the list', () => {
  test('hears of every status and stage at once', async () => {
    const id = await submit();
    await expect.poll(() => listed(id)).toMatchObject({ status: 'pending', stage: 'uploading' });
    const number = await lease(id);
    await expect.poll(() => listed(id)).toMatchObject({ status: 'processing' });
    await makeOutputs(id, number);
    await expect.poll(() => listed(id)).toMatchObject({ stage: 'transcoding' });
    await post(`/jobs/${id}/cancel`, {});
    await expect.poll(() => listed(id)).toMatchObject({ status: 'cancelled', completed_at: expect.any(String) });
    expect(await timer(id, 'list')).toBeUndefined();
  });

  test('hears of all else within five seconds, in one go', async () => {
    const id = await submit();
    const number = await lease(id);
    await expect.poll(() => timer(id, 'list')).toBeUndefined();
    const warning = { type: 'warning' as const, code: 'tracks_dropped' as const, message: 'm', details: {} };
    await report(id, number, 1, { entries: [warning] });
    const first = await timer(id, 'list');
    expect(secondsUntil(first)).toBeGreaterThan(3);
    await report(id, number, 2, { entries: [warning] });
    expect(await timer(id, 'list')).toEqual(first);
    await fire(id, 'list');
    expect(await timer(id, 'list')).toBeUndefined();
  });

  test('hears also of what was logged while it was being told', async () => {
    const id = await submit();
    const number = await lease(id);
    await expect.poll(() => timer(id, 'list')).toBeUndefined();
    const entries = [{ type: 'warning' as const, code: 'tracks_dropped' as const, message: 'm', details: {} }];
    await report(id, number, 1, { entries });
    const run = async () => void (await report(id, number, 2, { entries }));
    await withBindings(id, { DB: { prepare: () => ({ bind: () => ({ run }) }) } });
    await fire(id, 'list');
    expect(secondsUntil(await timer(id, 'list'))).toBeGreaterThan(3);
    await withBindings(id, {});
    await fire(id, 'list');
    expect(await timer(id, 'list')).toBeUndefined();
  });

  test('is right again after it was down, and meanwhile nothing waits for it', async () => {
    const id = await submit();
    await expect.poll(() => listed(id)).toMatchObject({ status: 'pending' });
    await withBindings(id, { DB: broken });
    const number = await lease(id);
    await makeOutputs(id, number);
    await fire(id, 'list');
    const row = await timer(id, 'list');
    expect(JSON.parse(row?.data ?? '{}').tries).toBeGreaterThan(0);
    expect(secondsUntil(row)).toBeGreaterThanOrEqual(1);
    expect(await listed(id)).toMatchObject({ status: 'pending' });
    await post(`/internal/jobs/${id}/release`, { lease: number });
    await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);

    await withBindings(id, {});
    await fire(id, 'list');
    expect(await listed(id)).toMatchObject({ status: 'pending', stage: 'transcoding' });
  });

  test('that never answers does not keep the doorbell from ringing', async () => {
    const id = await submit();
    await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
    const rung: unknown[] = [];
    const hanging = { prepare: () => ({ bind: () => ({ run: () => new Promise(() => undefined) }) }) };
    await withBindings(id, { DB: hanging, TRANSCODE_QUEUE: { send: async (one: unknown) => rung.push(one) } });
    const number = await lease(id);
    await post(`/internal/jobs/${id}/release`, { lease: number });
    await expect.poll(() => rung).toEqual([{ job_id: id, task: 'main' }]);
  });
});

describe('the doorbell of an urgent job', () => {
  test('rings in the queue that is pulled first', async () => {
    const waiting = async (queue: string): Promise<string> => {
      const pull = { batch_size: 100, visibility_timeout_ms: 0 };
      return (await post(`/client/v4/accounts/a/queues/${queue}/messages/pull`, pull)).text();
    };
    const query = new URLSearchParams({ options: JSON.stringify({ priority: 'high' }) });
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await call(`/process?${query}`, { method: 'POST', body: 'bytes', headers });
    const { job_id } = await answer.json<{ job_id: string }>();
    await expect.poll(() => waiting('reelwire-transcode-high')).toContain(job_id);
    expect(await waiting('reelwire-transcode')).not.toContain(job_id);
  });
});
