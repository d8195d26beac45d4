/** What the edge tells about itself: numbers over the jobs that are kept, and whether it can do its work. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { JobSummary } from '../../src/contract/api.ts';
import { listJob, unlistJob } from '../../src/durable/job-list.ts';
import { COUNTS, OLDEST } from '../../src/worker/metrics/metrics.ts';
import { METRICS_TYPE, render } from '../../src/worker/metrics/text.ts';
import { settle } from './clock.ts';
import { ask, call, env, lease, post, problemOf, submit } from './edge.ts';

async function scrape(): Promise<Map<string, number>> {
  const answer = await call('/metrics');
  expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, METRICS_TYPE]);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const read = async (name: string): Promise<number | undefined> => (await scrape()).get(name);

/** The values that are not 0. */
const counted = async (prefix: string) =>
  Object.fromEntries([...(await scrape())].filter(([name, value]) => name.startsWith(prefix) && value !== 0));

function made(news: Partial<JobSummary> = {}): JobSummary {
  const now = new Date().toISOString();
  const times = { created_at: now, updated_at: now, completed_at: null };
  const playback = { hls: null, dash: null, poster: null, storyboard: null, mp4: null };
  const how = { status: 'pending', stage: 'uploading', progress: 10, error: null, playback } as const;
  return { id: crypto.randomUUID(), key: 'clip', ...how, ...times, ...news };
}

const failed = (code: 'no_video' | 'stalled') => made({ status: 'failed', error: { code, retryable: false } });

beforeEach(async () => {
  await scrape();
  await env.DB.exec('DELETE FROM jobs');
});

describe('metrics', () => {
  test('count jobs by status, attempts and failures by code, and no job that was deleted', async () => {
    const gone = failed('stalled');
    for (const [job, attempt] of [
      [made(), 0],
      [made(), 2],
      [failed('no_video'), 1],
      [failed('stalled'), 3],
      [gone, 3],
    ] as const) {
      await listJob(env.DB, job, 1, { attempt, waiting_since: null });
    }
    await unlistJob(env.DB, gone.id, 2);
    expect(await counted('reelwire_job')).toEqual({
      'reelwire_jobs{status="pending"}': 2,
      'reelwire_jobs{status="failed"}': 2,
      'reelwire_job_attempts{status="pending"}': 2,
      'reelwire_job_attempts{status="failed"}': 4,
      'reelwire_jobs_failed{code="no_video"}': 1,
      'reelwire_jobs_failed{code="stalled"}': 1,
    });
  });

  test('tell for how long the oldest job waits, from its source to its lease, and again from its release', async () => {
    expect(await read('reelwire_queue_age_seconds')).toBe(0);
    const id = await submit();
    await settle(id, 'list');
    const since = `UPDATE jobs SET summary = json_set(summary, '$.waiting_since', ?)`;
    const { waiting } =
      (await env.DB.prepare(`SELECT summary ->> '$.waiting_since' AS waiting FROM jobs`).first<{
        waiting: number;
      }>()) ?? {};
    expect(waiting).toBeGreaterThan(Date.now() - 60_000);
    await env.DB.prepare(since)
      .bind(Date.now() - 500_000)
      .run();
    expect(await read('reelwire_queue_age_seconds')).toBeGreaterThanOrEqual(500);
    const number = await lease(id);
    await settle(id, 'list');
    expect(await read('reelwire_queue_age_seconds')).toBe(0);
    expect(await counted('reelwire_job_attempts')).toEqual({ 'reelwire_job_attempts{status="processing"}': 1 });
    await post(`/internal/jobs/${id}/release`, { lease: number });
    await settle(id, 'list');
    expect(await env.DB.prepare(OLDEST).first<number>('since')).toBeGreaterThanOrEqual(waiting ?? 0);
  });

  test('an upload that is not whole does not wait for a transcoder', async () => {
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '10' };
    const { job_id } = await (await call('/uploads', { method: 'POST', headers })).json<{ job_id: string }>();
    await settle(job_id, 'list');
    expect(await read('reelwire_jobs{status="pending"}')).toBe(1);
    expect(await env.DB.prepare(OLDEST).first<number>('since')).toBeNull();
  });

  test('tell of the transcoders that are there', async () => {
    await post('/internal/fleet', { transcoder: 'metrics-box', version: '1', slots: 3, busy: 2 });
    const [there, slots, busy] = [
      await read('reelwire_transcoders'),
      await read('reelwire_slots'),
      await read('reelwire_slots_busy'),
    ];
    await post('/internal/fleet', { transcoder: 'metrics-box', version: '1', slots: 3, busy: null });
    expect([there, slots, busy]).toEqual([
      ((await read('reelwire_transcoders')) ?? 0) + 1,
      ((await read('reelwire_slots')) ?? 0) + 3,
      ((await read('reelwire_slots_busy')) ?? 0) + 2,
    ]);
  });

  test('are read from indexes', async () => {
    const plan = async (sql: string): Promise<string[]> =>
      (await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).all<{ detail: string }>()).results.map(({ detail }) => detail);
    expect(await plan(COUNTS)).toEqual(['SCAN jobs USING INDEX jobs_counted']);
    expect(await plan(OLDEST)).toEqual([expect.stringContaining('INDEX jobs_waiting')]);
    for (const waiting_since of [null, 1, 2]) await listJob(env.DB, made(), 1, { attempt: 1, waiting_since });
    const rowsRead = async (sql: string) => (await env.DB.prepare(sql).all()).meta.rows_read;
    expect([await rowsRead(COUNTS), await rowsRead(OLDEST)]).toEqual([3, 1]);
    expect(await plan('SELECT count(*) FROM jobs GROUP BY folded_key')).toContain('USE TEMP B-TREE FOR GROUP BY');
  });

  test('are a problem when the list cannot be read', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const DB = { prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error('D1_ERROR: away')) }) }) };
    expect(await problemOf(await ask('/metrics', { DB: DB as unknown as D1Database }))).toMatchObject({
      code: 'list_unavailable',
    });
  });

  test('escape what stands in a label', () => {
    const text = render([{ name: 'x', help: 'y', samples: [{ labels: { a: 'b"c\\d\ne' }, value: 1 }] }]);
    expect(text).toBe('# HELP x y\n# TYPE x gauge\nx{a="b\\"c\\\\d\\ne"} 1\n');
  });
});

describe('readiness', () => {
  test('is told when all that is needed answers', async () => {
    const answer = await call('/ready');
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ready' }]);
  });

  test('is denied, with what is missing, when something does not', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const head = () => Promise.reject(new Error('R2 is away'));
    const { status, code, detail } = await problemOf(await ask('/ready', { INPUT: { head } as unknown as R2Bucket }));
    expect([status, code]).toEqual([503, 'not_ready']);
    expect(detail).toBe('The bucket of sources does not answer. The log says more.');
  });
});

test('the log has a line for each request and each stage of a job; the latter names the request that took the lease', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line));
  const id = await submit();
  const number = await lease(id);
  const stage = { type: 'stage', stage: 'transcoding', message: 'Transcoding' };
  await post(`/internal/jobs/${id}/report`, { lease: number, batch: 1, entries: [stage], commits: [] });
  const told = lines.map((line) => JSON.parse(line)).filter(({ msg, job }) => msg === 'job' && job === id);
  expect(told.map(({ event, state, stage }) => state ?? `${event} ${stage}`)).toEqual([
    'created',
    'stage uploading',
    'queued',
    'leased',
    'stage transcoding',
  ]);
  expect(told.at(-1)).toMatchObject({ lease: number, request_id: expect.stringMatching(/^request-/), attempt: 1 });
  const requests = lines.map((line) => JSON.parse(line)).filter(({ msg, job }) => msg === 'request' && job === id);
  expect(requests.map(({ path }) => path.replace(id, 'ID'))).toEqual([
    '/process',
    '/internal/jobs/ID/lease',
    '/internal/jobs/ID/report',
  ]);
  expect(new Set(requests.map(({ request_id }) => request_id)).size).toBe(3);
});
