/** The daily work: orphans, wake-ups, tombstones, with the time passed in; and that one failure does not stop the rest. */
import { createScheduledController } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { JobSummary } from '../../src/contract/api.ts';
import type { Env } from '../../src/durable/env.ts';
import { listJob, unlistJob } from '../../src/durable/job-list.ts';
import { daily, forgetTombstones, sweepOrphans, wakeJobs } from '../../src/worker/cron.ts';
import worker from '../../src/worker/index.ts';
import { call, env, job, keys, submit } from './edge.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The lines that were logged as errors. */
let complaints: Record<string, unknown>[] = [];
beforeEach(async () => {
  complaints = [];
  vi.spyOn(console, 'error').mockImplementation((line) => {
    complaints.push(JSON.parse(line));
  });
  await call('/jobs');
  await env.DB.exec('DELETE FROM jobs');
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Which of these jobs have a row in the list, as tombstones too. */
async function known(...ids: string[]): Promise<string[]> {
  const { results } = await env.DB.prepare('SELECT id FROM jobs').all<{ id: string }>();
  return ids.filter((id) => results.some((row) => row.id === id));
}

const failing = (message: string) => async (): Promise<never> => {
  throw new Error(message);
};

describe('orphans', () => {
  /** Something in both buckets under a job's id. */
  const store = async (id: string = crypto.randomUUID()): Promise<string> => {
    await Promise.all([
      env.INPUT.put(`${id}/source`, 'x'),
      env.OUTPUT.put(`${id}/720p/t1/1.m4s`, 'x'),
      env.OUTPUT.put(`${id}/master.m3u8`, 'x'),
    ]);
    return id;
  };
  const stored = async (id: string): Promise<number> =>
    (await keys(env.INPUT, `${id}/`)).length + (await keys(env.OUTPUT, `${id}/`)).length;

  test('are removed from both buckets once they are older than a day', async () => {
    const id = await store();
    await sweepOrphans(env, Date.now() + DAY - HOUR);
    expect(await stored(id)).toBe(3);
    await sweepOrphans(env, Date.now() + DAY + HOUR);
    expect(await stored(id)).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('are not what a living job has, whether or not the list knows it', async () => {
    const lives = { listed: await store(await submit()), unknown: await store(await submit()), dead: await submit() };
    await store(lives.dead);
    await expect.poll(() => known(...Object.values(lives))).toHaveLength(3);
    await env.DB.prepare('DELETE FROM jobs WHERE id = ?').bind(lives.unknown).run();
    await unlistJob(env.DB, lives.dead, 99);
    const orphan = await store();
    await sweepOrphans(env, Date.now() + 2 * DAY);
    for (const id of Object.values(lives)) expect([await stored(id), (await job(id)).status]).toEqual([3, 'pending']);
    expect(await stored(orphan)).toBe(0);
  });

  test('are what a deleted job has left behind', async () => {
    const id = await submit();
    expect((await call(`/jobs/${id}`, { method: 'DELETE' })).status).toBe(202);
    await expect.poll(async () => (await keys(env.INPUT, `${id}/`)).length).toBe(0);
    await store(id);
    await unlistJob(env.DB, id, 99);
    await sweepOrphans(env, Date.now() + 2 * DAY);
    expect(await stored(id)).toBe(0);
  });

  test('are found on every page of the listing, and what lies beside the jobs is left alone', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => store()));
    const beside = ['README', 'other/file', `${crypto.randomUUID().toUpperCase()}/source`];
    for (const key of beside) await env.INPUT.put(key, 'x');
    const inPages = (bucket: R2Bucket) => ({
      list: (options: R2ListOptions) => bucket.list({ ...options, limit: 1 }),
      delete: (keys: string[]) => bucket.delete(keys),
    });
    const paged = { ...env, INPUT: inPages(env.INPUT), OUTPUT: inPages(env.OUTPUT) } as unknown as Env;
    await sweepOrphans(paged, Date.now() + 2 * DAY);
    for (const id of all) expect(await stored(id)).toBe(0);
    expect(complaints).toEqual([]);
    for (const key of beside) expect(await env.INPUT.head(key)).not.toBeNull();
  });

  test('that cannot be asked about stay, and the others go', async () => {
    const [broken, fine] = [await store(), await store()];
    const isOwned = failing('away');
    const getByName = (id: string) => (id === broken ? { isOwned } : env.JOB.getByName(id));
    await sweepOrphans({ ...env, JOB: { getByName } } as unknown as Env, Date.now() + 2 * DAY);
    expect([await stored(broken), await stored(fine)]).toEqual([3, 0]);
    const line = { msg: 'daily work failed', job: broken, error: 'Error: away' };
    expect(complaints).toEqual([line, line]);
  });

  test('are told from jobs without the list too, and in one bucket without the other', async () => {
    const alive = await store(await submit());
    const orphan = await store();
    const away = { prepare: () => ({ bind: () => ({ all: failing('D1 is away') }) }) };
    const broken = { ...env, DB: away, INPUT: { list: failing('R2 is away') } } as unknown as Env;
    await sweepOrphans(broken, Date.now() + 2 * DAY);
    expect([await stored(alive), await stored(orphan)]).toEqual([3, 1]);
    expect(complaints.map(({ error }) => error)).toEqual(['Error: R2 is away', 'Error: D1 is away']);
  });
});

describe('wake-ups', () => {
  const NOW = Date.UTC(2026, 5, 1);
  const iso = (ms: number): string => new Date(ms).toISOString();

  /** A listed job that was changed, and has ended if its status says so, so long ago. */
  async function listed(status: JobSummary['status'], ago: number, created = NOW - 90 * DAY): Promise<string> {
    const id = crypto.randomUUID();
    const ended = status === 'pending' || status === 'processing' ? null : iso(NOW - ago);
    const times = { created_at: iso(created), updated_at: iso(NOW - ago), completed_at: ended };
    const playback = { hls: null, dash: null, poster: null, storyboard: null, mp4: null };
    await listJob(
      env.DB,
      { id, key: 'k', status, stage: 'uploading', progress: 5, error: null, playback, ...times },
      1,
    );
    return id;
  }

  /** Runs the wake-ups and returns who was woken. */
  async function woken(now = NOW, settings: Partial<Env> = {}, wake = async (_: string) => {}): Promise<string[]> {
    const calls: string[] = [];
    const getByName = (id: string) => ({
      wake: () => {
        calls.push(id);
        return wake(id);
      },
    });
    await wakeJobs({ ...env, ...settings, JOB: { getByName } } as unknown as Env, now);
    return calls;
  }

  test('go to jobs that run but have been silent for an hour, and to those past retention, oldest first', async () => {
    const expected = [
      await listed('failed', 100 * DAY),
      await listed('completed', 9 * DAY),
      await listed('cancelled', 8 * DAY + 1),
      await listed('processing', 2 * HOUR),
      await listed('pending', HOUR + 1),
    ];
    await listed('pending', HOUR);
    await listed('processing', 0);
    await listed('completed', 8 * DAY);
    await listed('failed', 2 * HOUR);
    await unlistJob(env.DB, await listed('processing', 2 * HOUR), 2);
    expect(await woken()).toEqual(expected);
    expect(await woken(NOW, { RETENTION_DAYS: '30' })).toEqual([expected[0], expected[3], expected[4]]);
  });

  test('are bounded, a few at a time; in the next run those come first that were left out', async () => {
    const all = await Promise.all(Array.from({ length: 503 }, (_, i) => listed('pending', 10 * HOUR - i)));
    let now = 0;
    let most = 0;
    const first = await woken(NOW, {}, async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
    });
    expect(first).toEqual(all.slice(0, 500));
    expect([most > 1, most <= 6]).toEqual([true, true]);
    const second = await woken(NOW + DAY);
    expect(second).toHaveLength(500);
    expect(second).toEqual(expect.arrayContaining(all.slice(500)));
  });

  test('that fail are logged and do not stop the others', async () => {
    const [broken, fine] = [await listed('pending', 3 * HOUR), await listed('pending', 2 * HOUR)];
    const wake = async (id: string) => {
      if (id === broken) throw new Error('away');
    };
    expect(await woken(NOW, {}, wake)).toEqual([broken, fine]);
    expect(complaints).toEqual([{ msg: 'daily work failed', job: broken, error: 'Error: away' }]);
  });

  test('are searched for with indexes', async () => {
    await listed('pending', 3 * HOUR);
    const plans: string[] = [];
    const prepare = (sql: string) => ({
      bind: (...values: unknown[]) => ({
        all: async () => {
          const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
            .bind(...values)
            .all<{ detail: string }>();
          plans.push(...plan.results.map(({ detail }) => detail));
          return { results: [] };
        },
      }),
    });
    await woken(NOW, { DB: { prepare } as unknown as D1Database });
    expect(plans.filter((step) => step.startsWith('SCAN'))).toEqual([]);
    expect(plans.join()).toMatch(/jobs_by_status.*jobs_ended/);
  });
});

test('tombstones are forgotten after 30 days, and only tombstones', async () => {
  const [tombstone, alive] = [crypto.randomUUID(), await submit()];
  await unlistJob(env.DB, tombstone, 1);
  await expect.poll(() => known(tombstone, alive)).toEqual([tombstone, alive]);
  await forgetTombstones(env, Date.now() + 29 * DAY);
  expect(await known(tombstone, alive)).toEqual([tombstone, alive]);
  await forgetTombstones(env, Date.now() + 31 * DAY);
  expect(await known(tombstone, alive)).toEqual([alive]);
});

describe('the schedule', () => {
  test('runs all three, at the time it was set for', async () => {
    const [orphan, tombstone] = [crypto.randomUUID(), crypto.randomUUID()];
    await env.OUTPUT.put(`${orphan}/master.m3u8`, 'x');
    await unlistJob(env.DB, tombstone, 1);
    const alive = await submit();
    await expect.poll(() => known(alive)).toEqual([alive]);
    const controller = createScheduledController({
      scheduledTime: new Date(Date.now() + 31 * DAY),
      cron: '17 3 * * *',
    });
    await worker.scheduled(controller, env);
    expect(await keys(env.OUTPUT, orphan)).toEqual([]);
    expect(await known(alive, tombstone)).toEqual([alive]);
    const woken = env.DB.prepare('SELECT woken_at FROM jobs WHERE id = ?').bind(alive);
    expect(await woken.first('woken_at')).toBe(controller.scheduledTime);
    expect(await keys(env.INPUT, alive)).toEqual([`${alive}/source`]);
    expect(complaints).toEqual([]);
  });

  test('goes on with the next part when one fails', async () => {
    const tombstone = crypto.randomUUID();
    await unlistJob(env.DB, tombstone, 1);
    const silent = { ...env, RETENTION_DAYS: 'for ever', INPUT: { list: failing('R2 is away') } } as unknown as Env;
    await daily(silent, Date.now() + 31 * DAY);
    expect(complaints.map(({ part }) => part)).toEqual(['orphans', 'jobs']);
    expect(await known(tombstone)).toEqual([]);
  });

  test('finds nothing to do in a database without tables', async () => {
    await env.DB.exec('DROP TABLE jobs');
    await daily(env, Date.now());
    expect(complaints).toEqual([]);
  });
});
