/** Storage that tells the impossible: the job recovers, or fails and says why. It never hangs. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { fire, secondsUntil, timer, timers } from './clock.ts';
import { call, completedJob, env, finish, job, keys, lease, makeOutputs, post, problemOf, submit } from './edge.ts';

/** Writes into the job's storage behind its back, and has the object forget what it had in memory. */
async function tamper(id: string, ...statements: string[]): Promise<void> {
  await runInDurableObject(env.JOB.getByName(id), (_, { storage }) => {
    for (const statement of statements) storage.sql.exec(statement);
  });
  await evictDurableObject(env.JOB.getByName(id));
}

test('a pending job whose doorbell is missing rings again', async () => {
  const id = await submit();
  await tamper(id, 'DELETE FROM timers');
  expect(await job(id)).toMatchObject({ status: 'pending' });
  await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
});

test('a lease whose timer is missing is guarded again, and its holder goes on', async () => {
  const id = await submit();
  const number = await lease(id);
  await tamper(id, 'DELETE FROM timers');
  expect(await job(id)).toMatchObject({ status: 'processing' });
  expect(secondsUntil(await timer(id, 'lease'))).toBeGreaterThan(25);
  await makeOutputs(id, number);
  expect(await (await finish(id, number)).json()).toEqual({ status: 'completed' });
});

test('a job that is processing while nobody holds its lease waits for a transcoder again', async () => {
  const id = await submit();
  await lease(id);
  await tamper(
    id,
    `DELETE FROM timers`,
    `DELETE FROM log WHERE type = '_lease'`,
    'UPDATE log SET seq = seq - 1 WHERE seq > 5',
  );
  expect(await job(id)).toMatchObject({ status: 'pending' });
  await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
  await makeOutputs(id, await lease(id));
});

test('an attempt that the log does not tell of can be leased anew', async () => {
  const id = await submit();
  const number = await lease(id);
  await tamper(id, `DELETE FROM log WHERE type = 'state' AND data LIKE '%"leased"%'`);
  expect(await job(id)).toMatchObject({ status: 'pending' });
  expect(await lease(id)).toBe(number + 1);
});

test.each([
  ['a gap', 'DELETE FROM log WHERE seq = 3'],
  ['an entry that cannot be read', `UPDATE log SET data = '{' WHERE seq = 3`],
  ['an entry of no known kind', `UPDATE log SET type = 'riddle' WHERE seq = (SELECT max(seq) FROM log)`],
])('a log with %s fails the job with a sentence that says so, and the job can be deleted', async (_, statement) => {
  const id = await submit();
  await tamper(id, statement);
  const { status, error, error_message } = await job(id);
  expect([status, error]).toEqual(['failed', { code: 'internal', retryable: false }]);
  expect(error_message).toMatch(/log is lost/);
  expect((await call(`/jobs/${id}`, { method: 'DELETE' })).status).toBe(202);
});

test('a job that has ended and lost its timers expires all the same', async () => {
  const id = await completedJob();
  await tamper(id, 'DELETE FROM timers');
  await job(id);
  expect((await timers(id)).map(({ kind }) => kind)).toEqual(['expiry']);
});

test('an alarm that the platform dropped is set again by waking the job', async () => {
  const id = await submit();
  await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
  const alarm = () => runInDurableObject(env.JOB.getByName(id), (_, { storage }) => storage.getAlarm());
  await runInDurableObject(env.JOB.getByName(id), (_, { storage }) => storage.deleteAlarm());
  expect(await alarm()).toBeNull();
  await env.JOB.getByName(id).wake();
  expect(await alarm()).toBe((await timer(id, 'doorbell'))?.due_at);
});

test('waking a job that does not exist stores nothing', async () => {
  const stub = env.JOB.getByName(crypto.randomUUID());
  await stub.wake();
  const tables = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec('SELECT name FROM sqlite_master').toArray(),
  );
  expect(tables.filter(({ name }) => name === 'log' || name === 'timers')).toEqual([]);
});

test('a job that completed keeps its outputs when an entry of its log cannot be read any more', async () => {
  const id = await completedJob();
  await expect.poll(async () => secondsUntil(await timer(id, 'sweep'))).toBeGreaterThan(590);
  const before = await keys(env.OUTPUT, id);
  await tamper(id, `UPDATE log SET data = '{' WHERE type = '_plan'`);
  await fire(id, 'sweep');
  expect(await keys(env.OUTPUT, id)).toEqual(before);
  expect((await call(`/jobs/${id}/outputs/master.m3u8`)).status).toBe(200);
});

test('a job that has failed for its log cannot be tried again, though one that was cancelled can', async () => {
  const [broken, sound] = [await submit(), await submit()];
  await tamper(broken, 'DELETE FROM log WHERE seq = 3');
  expect(await problemOf(await post(`/jobs/${broken}/retry`, {}))).toMatchObject({ code: 'invalid_state' });
  await post(`/jobs/${sound}/cancel`, {});
  expect((await post(`/jobs/${sound}/retry`, {})).status).toBe(202);
});

test('a timer that cannot be read is set anew', async () => {
  const id = await submit();
  await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
  await tamper(id, `UPDATE timers SET data = '{"rung":0}' WHERE kind = 'doorbell'`);
  expect(await job(id)).toMatchObject({ status: 'pending' });
  await expect.poll(async () => (await timer(id, 'doorbell'))?.data).toContain('tries');
});

test('a log without its beginning is no job, and its objects are nobody elses to remove', async () => {
  const id = await completedJob();
  await tamper(id, 'DELETE FROM log WHERE seq = 1');
  expect((await call(`/jobs/${id}`)).status).toBe(404);
  expect(await env.JOB.getByName(id).isOwned()).toBe(true);
  expect(await env.JOB.getByName(crypto.randomUUID()).isOwned()).toBe(false);

  await fire(id, 'expiry');
  const alarm = await runInDurableObject(env.JOB.getByName(id), (_, { storage }) => storage.getAlarm());
  expect(((alarm ?? 0) - Date.now()) / 1000).toBeGreaterThan(50);
});
