/** What becomes of a job after its end: swept, kept for a while, deleted, forgotten. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { FINAL } from '../../src/contract/ids.ts';
import { fire, secondsUntil, settle, timer, withBindings } from './clock.ts';
import {
  call,
  completedJob,
  env,
  job,
  keys,
  lease,
  makeOutputs,
  post,
  problemOf,
  report,
  storeSegment,
  submit,
} from './edge.ts';
import { created } from './tus.ts';

const DAY = 86_400;

const remove = (id: string): Promise<Response> => call(`/jobs/${id}`, { method: 'DELETE' });

const rows = (id: string): Promise<number> =>
  runInDurableObject(
    env.JOB.getByName(id),
    (_, { storage }) =>
      storage.sql.exec(`SELECT name FROM sqlite_master WHERE name IN ('log', 'timers')`).toArray().length,
  );

const listed = (id: string) =>
  env.DB.prepare('SELECT status, summary, deleted_at FROM jobs WHERE id = ?').bind(id).first();

describe('DELETE /jobs/:id', () => {
  test('hides the job at once, removes its objects, and forgets it after a second look', async () => {
    const id = await completedJob();
    const other = await completedJob();
    expect((await call(`/jobs/${id}/outputs/master.m3u8`)).status).toBe(200);

    const answer = await remove(id);
    expect([answer.status, await answer.json()]).toEqual([202, { job_id: id, status: 'deleted' }]);
    for (const path of ['', '/stream', '/events', '/outputs/master.m3u8', '/outputs/360p/t1/1.m4s']) {
      const { status } = await call(`/jobs/${id}${path}`);
      expect([path, status]).toEqual([path, 404]);
    }
    expect(await problemOf(await post(`/jobs/${id}/retry`, {}))).toMatchObject({ code: 'job_not_found' });
    expect((await remove(id)).status).toBe(202);

    await expect.poll(() => keys(env.OUTPUT, id)).toEqual([]);
    expect(await keys(env.INPUT, id)).toEqual([]);
    await expect.poll(() => listed(id)).toEqual({ status: null, summary: null, deleted_at: expect.any(Number) });
    await expect.poll(async () => secondsUntil(await timer(id, 'erase'))).toBeGreaterThan(590);

    await env.OUTPUT.put(`${id}/360p/t1/9.m4s`, 'was on its way');
    await fire(id, 'erase');
    expect([await keys(env.OUTPUT, id), await rows(id)]).toEqual([[], 0]);
    expect(await problemOf(await remove(id))).toMatchObject({ code: 'job_not_found' });
    expect(await job(other)).toMatchObject({ status: 'completed' });
    expect(await keys(env.OUTPUT, other)).toContain(`${other}/${FINAL}`);
  });

  test('of a running job cancels it first; its transcoder is told that it is gone', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    const stream = await call(`/jobs/${id}/stream`);
    expect((await remove(id)).status).toBe(202);
    expect(await stream.text()).toContain('event: cancelled');
    expect(await problemOf(await report(id, number, 2))).toMatchObject({ status: 404, code: 'job_not_found' });
    const late = await storeSegment(id, number, '360p', '9.m4s', 'late');
    expect(await problemOf(late)).toMatchObject({ status: 404, code: 'job_not_found' });
    await expect.poll(() => keys(env.OUTPUT, id)).toEqual([]);
  });

  test('of an unknown job says so and stores nothing', async () => {
    const id = crypto.randomUUID();
    expect(await problemOf(await remove(id))).toMatchObject({ status: 404, code: 'job_not_found' });
    expect(await rows(id)).toBe(0);
  });

  test('is not over before storage has answered and the list knows', async () => {
    const id = await completedJob();
    const down = (what: string) => () => {
      throw new Error(`${what} is down`);
    };
    const DB = { prepare: down('D1') };
    await withBindings(id, { DB, OUTPUT: { delete: down('R2'), list: down('R2') } });
    expect((await remove(id)).status).toBe(202);
    expect(await problemOf(await call(`/jobs/${id}`))).toMatchObject({ code: 'job_not_found' });
    await expect.poll(async () => JSON.parse((await timer(id, 'erase'))?.data ?? '{}').tries).toBeGreaterThan(0);
    expect(await keys(env.OUTPUT, id)).not.toEqual([]);

    await withBindings(id, { DB });
    await fire(id, 'erase');
    expect(await keys(env.OUTPUT, id)).toEqual([]);
    await fire(id, 'list');
    await fire(id, 'erase');
    expect(await rows(id)).toBe(2);
    await withBindings(id, {});
    await fire(id, 'list');
    await fire(id, 'erase');
    expect(await rows(id)).toBe(0);
  });

  test('is not over before the upload of one that has no source knows', async () => {
    const id = await created(10);
    await withBindings(id, { UPLOAD: { getByName: () => ({ close: () => Promise.reject(new Error('is away')) }) } });
    expect((await remove(id)).status).toBe(202);
    await settle(id, 'list');
    await expect.poll(() => timer(id, 'list')).toBeUndefined();
    await fire(id, 'erase');
    await fire(id, 'erase');
    expect((await timer(id, 'erase'))?.due_at).toBe((await timer(id, 'close_upload'))?.due_at);
    await withBindings(id, {});
    await fire(id, 'close_upload');
    await fire(id, 'erase');
    expect(await rows(id)).toBe(0);
  });
});

describe('retention', () => {
  test('deletes a job seven days after its end', async () => {
    const id = await completedJob();
    expect(secondsUntil(await timer(id, 'expiry')) / DAY).toBeCloseTo(7, 3);
    await fire(id, 'expiry');
    expect(await problemOf(await call(`/jobs/${id}`))).toMatchObject({ code: 'job_not_found' });
    await expect.poll(() => keys(env.OUTPUT, id)).toEqual([]);
  });

  test('may be chosen for a job, and waits while it is tried again', async () => {
    const query = new URLSearchParams({ key: 'clip', options: JSON.stringify({ retention_days: 30 }) });
    const answer = await call(`/process?${query}`, {
      method: 'POST',
      body: 'bytes',
      headers: { 'Content-Type': 'application/octet-stream' },
    });
    const { job_id: id } = await answer.json<{ job_id: string }>();
    expect(await timer(id, 'expiry')).toBeUndefined();
    await post(`/jobs/${id}/cancel`, {});
    expect(secondsUntil(await timer(id, 'expiry')) / DAY).toBeCloseTo(30, 3);
    await post(`/jobs/${id}/retry`, {});
    expect(await timer(id, 'expiry')).toBeUndefined();
  });
});

describe('the sweep', () => {
  /** A first take of which only the beginning was committed, and a second one that did everything. */
  async function twoTakes(): Promise<{ id: string; first: number; second: number }> {
    const id = await submit();
    const first = await lease(id);
    await storeSegment(id, first, '360p', 'init.mp4', 'never committed');
    await storeSegment(id, first, '360p', '1.m4s', 'never committed');
    await post(`/internal/jobs/${id}/release`, { lease: first });
    const second = await lease(id);
    await makeOutputs(id, second);
    return { id, first, second };
  }

  test('removes at the end what nothing names, and again ten minutes later what came late', async () => {
    const { id, first, second } = await twoTakes();
    expect(await keys(env.OUTPUT, `${id}/360p/t${first}/`)).toHaveLength(2);
    await post(`/internal/jobs/${id}/finish`, { lease: second, result: { duration_seconds: 12 } });
    await expect.poll(() => keys(env.OUTPUT, `${id}/360p/t${first}/`)).toEqual([]);
    await expect.poll(async () => secondsUntil(await timer(id, 'sweep'))).toBeGreaterThan(590);
    expect(await keys(env.OUTPUT, `${id}/360p/t${second}/`)).toHaveLength(4);

    await env.OUTPUT.put(`${id}/360p/t${first}/2.m4s`, 'late');
    await fire(id, 'sweep');
    expect(await keys(env.OUTPUT, `${id}/360p/t${first}/`)).toEqual([]);
    expect(await timer(id, 'sweep')).toBeUndefined();
    expect((await call(`/jobs/${id}/outputs/master.m3u8`)).status).toBe(200);
  });

  test('leaves to a cancelled job what the next attempt goes on from, and to that one what it makes', async () => {
    const { id, first, second } = await twoTakes();
    await post(`/jobs/${id}/cancel`, {});
    await expect.poll(() => keys(env.OUTPUT, `${id}/360p/t${first}/`)).toEqual([]);
    expect(await keys(env.OUTPUT, `${id}/360p/t${second}/`)).toHaveLength(4);
    await expect.poll(async () => secondsUntil(await timer(id, 'sweep'))).toBeGreaterThan(590);
    await post(`/jobs/${id}/retry`, {});
    expect(await timer(id, 'sweep')).toBeUndefined();
    expect(await keys(env.INPUT, id)).toEqual([`${id}/source`]);
  });
});
