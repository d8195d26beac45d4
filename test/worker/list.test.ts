/** The list of jobs: what is told to it, in any order; its pages, filters and refusals; and how much it has to read. */
import { applyD1Migrations } from 'cloudflare:test';
import { withEnv } from 'cloudflare:workers';
import { beforeEach, describe, expect, test } from 'vitest';
import migration from '../../migrations/0001_jobs.sql';
import { type JobSummary, JobsPage } from '../../src/contract/api.ts';
import { Status } from '../../src/contract/stages.ts';
import { listJob, unlistJob } from '../../src/durable/job-list.ts';
import { pageStatement } from '../../src/worker/list.ts';
import { ask, call, env, problemOf, submit } from './edge.ts';

const BEGIN = Date.UTC(2026, 0, 1);
const PLAYBACK = { hls: null, dash: null, poster: null, storyboard: null, mp4: null };

const at = (second: number): string => new Date(BEGIN + second * 1000).toISOString();

/** A job made in this second. */
function made(second: number, news: Partial<JobSummary> = {}): JobSummary {
  const times = { created_at: at(second), updated_at: at(second), completed_at: null };
  const how = { status: 'pending', stage: 'uploading', progress: 10, error: null, playback: PLAYBACK } as const;
  return { id: crypto.randomUUID(), key: 'clip', ...how, ...times, ...news };
}

/** Lists many at once: with the very statements, in batches. */
async function listAll(jobs: JobSummary[]): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  const prepare = (sql: string) => ({
    bind: (...values: readonly unknown[]) => ({
      run: async () => statements.push(env.DB.prepare(sql).bind(...values)),
    }),
  });
  for (const job of jobs) await listJob({ prepare } as unknown as D1Database, job, 1);
  while (statements.length > 0) await env.DB.batch(statements.splice(0, 1000));
}

async function page(query: Record<string, string> = {}): Promise<JobsPage> {
  return JobsPage.parse(await (await call(`/jobs?${new URLSearchParams(query)}`)).json());
}

/** All pages to the end. `between` is called after each. */
async function walk(query: Record<string, string>, between = async () => {}): Promise<JobSummary[]> {
  const jobs: JobSummary[] = [];
  let cursor: string | null = null;
  do {
    const { jobs: more, next_cursor }: JobsPage = await page(cursor ? { ...query, cursor } : query);
    expect(more.length).toBeGreaterThan(next_cursor ? 0 : -1);
    jobs.push(...more);
    cursor = next_cursor;
    await between();
  } while (cursor);
  return jobs;
}

const ids = (jobs: JobSummary[]): string[] => jobs.map(({ id }) => id);

const newestFirst = (jobs: JobSummary[]): JobSummary[] =>
  jobs.toSorted((a, b) => (a.created_at + a.id < b.created_at + b.id ? 1 : -1));

const rows = async (): Promise<number> =>
  (await env.DB.prepare('SELECT count(*) AS n FROM jobs').first<number>('n')) ?? 0;

beforeEach(async () => {
  await page();
  await env.DB.exec('DELETE FROM jobs');
});

describe('a database without tables', () => {
  beforeEach(async () => {
    await env.DB.exec('DROP TABLE jobs');
  });

  const job = made(0);
  test.each<[string, () => Promise<unknown>]>([
    ['the page', () => page()],
    ['a job that is listed', () => listJob(env.DB, job, 1)],
    ['a job that is unlisted', () => unlistJob(env.DB, job.id, 1)],
    ['many at once', () => Promise.all([page(), listJob(env.DB, job, 1), listJob(env.DB, made(1), 1)])],
  ])('gets them in open mode, by %s; migrations that are applied later do no harm', async (_, use) => {
    await use();
    const before = await rows();
    await applyD1Migrations(env.DB, [{ name: '0001_jobs.sql', queries: migration.split(/;$/m).slice(0, -1) }]);
    expect(await rows()).toBe(before);
    await listJob(env.DB, made(2), 1);
    expect((await page()).jobs[0]?.created_at).toBe(at(2));
  });

  test('is an error elsewhere', async () => {
    const closed = { ...env, REELWIRE_OPEN: undefined };
    await withEnv(closed, async () => {
      await expect(listJob(env.DB, job, 1)).rejects.toThrow('no such table');
      expect(await problemOf(await ask('/jobs', { REELWIRE_OPEN: '1' }))).toMatchObject({
        status: 500,
        code: 'internal',
      });
    });
    expect((await page()).jobs).toEqual([]);
  });
});

describe('what is told', () => {
  const id = crypto.randomUUID();
  const steps: JobSummary[] = [
    made(0, { id }),
    made(0, { id, status: 'processing', stage: 'transcoding', progress: 20, updated_at: at(1) }),
    made(0, { id, status: 'completed', stage: 'completed', progress: 100, updated_at: at(2), completed_at: at(2) }),
  ];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
    [0, 0, 1, 1, 2, 2, 0],
    [2, 2],
  ];

  test.each(orders.map((order) => [order]))('never goes backwards, whatever the order: %j', async (order) => {
    for (const i of order) {
      const job = steps[i];
      if (job) await listJob(env.DB, job, 10 + i);
    }
    expect((await page()).jobs).toEqual([steps[2]]);
    expect((await page({ status: 'completed' })).jobs).toEqual([steps[2]]);
    expect((await page({ status: 'pending' })).jobs).toEqual([]);
  });

  test('under a number that is known changes nothing; a job that is tried again has not ended', async () => {
    const [first, second, third] = steps;
    if (!first || !second || !third) return expect.unreachable();
    await listJob(env.DB, third, 5);
    await listJob(env.DB, second, 5);
    expect((await page()).jobs).toEqual([third]);
    await listJob(env.DB, first, 6);
    expect((await page()).jobs).toEqual([first]);
    expect(await env.DB.prepare('SELECT completed_at FROM jobs').first('completed_at')).toBeNull();
  });

  test.each([
    ['before', 1],
    ['after', 9],
  ])('of a deleted job does not bring it back, even if it was logged %s', async (_, seq) => {
    const [job] = steps;
    if (!job) return expect.unreachable();
    await listJob(env.DB, job, 4);
    for (const _again of [1, 2]) await unlistJob(env.DB, id, 5);
    await listJob(env.DB, job, seq);
    expect((await page()).jobs).toEqual([]);
    expect((await page({ q: 'clip' })).jobs).toEqual([]);
    const { results } = await env.DB.prepare('SELECT * FROM jobs').all();
    const nothing = { folded_key: null, status: null, created_at: null, completed_at: null, summary: null };
    expect(results).toMatchObject([{ id, last_event_id: 5, ...nothing }]);
  });

  test('of a deleted job that the list did not know comes too late as well', async () => {
    await unlistJob(env.DB, id, 5);
    for (const [i, job] of steps.entries()) await listJob(env.DB, job, 2 + i);
    expect((await page()).jobs).toEqual([]);
    await listJob(env.DB, made(1), 1);
    expect((await page()).jobs).toHaveLength(1);
  });

  test('is shown with every field, and nothing that is none of the list', async () => {
    const playback = { ...PLAYBACK, hls: '/jobs/x/outputs/master.m3u8' };
    const error = { code: 'stalled' as const, retryable: true };
    const job = made(3, { key: "Robert'); DROP TABLE jobs;-- 漢字 🎬", status: 'failed', error, playback });
    await listJob(env.DB, { ...job, metadata: { secret: '1' } } as JobSummary, 1);
    expect(await (await call('/jobs')).json()).toEqual({ jobs: [job], next_cursor: null });
  });

  test('is what jobs tell of themselves', async () => {
    const made = await submit();
    await expect.poll(async () => ids((await page({ q: 'cli' })).jobs)).toContain(made);
    expect((await call(`/jobs/${made}`, { method: 'DELETE' })).status).toBe(202);
    await expect.poll(async () => ids((await page()).jobs)).not.toContain(made);
  });
});

describe('filters', () => {
  const KEYS = ['a', 'A', 'ab', 'Ab', 'aB1', 'b', 'Zoë', 'zoe\u0308 2', 'ΣΑΣ', 'σας', 'Straße', '100%', '100_', '1000'];
  const WIDE = ['\u{10ffff}', '\u{10ffff}\u{10ffff}x', 'x\u{10ffff}', 'x\u{10ffff}y', 'xa', 'y', '\ud7ff1', '\ue000'];
  const all = [...KEYS, ...WIDE].flatMap((key, i) =>
    Status.options.map((status, j) => made((i + j) % 7, { key, status })),
  );
  const QUERIES: [string, string[]][] = [
    ['a', ['a', 'A', 'ab', 'Ab', 'aB1']],
    ['AB', ['ab', 'Ab', 'aB1']],
    ['abc', []],
    ['ZOË', ['Zoë', 'zoe\u0308 2']],
    ['σασ', ['ΣΑΣ', 'σας']],
    ['Σας', ['ΣΑΣ', 'σας']],
    ['STRASS', ['Straße']],
    ['100%', ['100%']],
    ['100_', ['100_']],
    ['100', ['100%', '100_', '1000']],
    ['\u{10ffff}', ['\u{10ffff}', '\u{10ffff}\u{10ffff}x']],
    ['x\u{10ffff}', ['x\u{10ffff}', 'x\u{10ffff}y']],
    ['\ud7ff', ['\ud7ff1']],
    ['x', ['x\u{10ffff}', 'x\u{10ffff}y', 'xa']],
  ];

  test.each(QUERIES)('q=%j finds what begins so, in every state and in pages of every size', async (q, keys) => {
    await listAll(all);
    const found = newestFirst(all.filter(({ key }) => keys.includes(key)));
    for (const limit of ['7', '100']) {
      expect(ids(await walk({ q, limit }))).toEqual(ids(found));
    }
    for (const status of Status.options) {
      const some = found.filter((job) => job.status === status);
      for (const limit of ['1', '100']) expect(ids(await walk({ q, limit, status }))).toEqual(ids(some));
    }
  });

  test('end before what is no character', () => {
    const { values } = pageStatement({ limit: 1, q: '\ud7ff' });
    expect(values.some((value) => value === '\ue000')).toBe(true);
  });

  test('without q, a state finds what is in it, newest first', async () => {
    await listAll(all);
    expect(ids(await walk({}))).toEqual(ids(newestFirst(all)));
    for (const status of Status.options) {
      const some = newestFirst(all.filter((job) => job.status === status));
      expect(await walk({ status, q: '', limit: '4' })).toEqual(some);
    }
  });

  test('a page holds 20 unless another limit is asked for', async () => {
    await listAll(all);
    expect((await page()).jobs).toHaveLength(20);
    expect((await page({ limit: '1' })).jobs).toHaveLength(1);
  });
});

describe('ten thousand jobs', () => {
  const many = Array.from({ length: 10_000 }, (_, i) =>
    made(i >> 2, { key: `Film ${i % 100}`, status: Status.options[i % 5] ?? 'pending' }),
  );
  const COMBINATIONS: [Parameters<typeof pageStatement>[0], string][] = [
    [{ limit: 100 }, 'jobs_newest'],
    [{ limit: 100, status: 'failed' }, 'jobs_by_status'],
    [{ limit: 100, q: 'FILM 7' }, 'jobs_by_key'],
    [{ limit: 100, q: 'film 77', status: 'completed' }, 'jobs_by_key'],
    [{ limit: 100, q: '\u{10ffff}' }, 'jobs_by_key'],
    [{ limit: 100, q: '\u{10ffff}', status: 'completed' }, 'jobs_by_key'],
  ];
  const plan = async (sql: string, values: readonly unknown[]): Promise<string[]> => {
    const statement = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...values);
    return (await statement.all<{ detail: string }>()).results.map(({ detail }) => detail);
  };

  test('are searched by an index whatever the filters, on the first page and on later ones', async () => {
    await listAll(many);
    for (const [combination, index] of COMBINATIONS) {
      for (const after of [undefined, [BEGIN + 1_000_000, crypto.randomUUID()] as const]) {
        const { sql, values } = pageStatement(combination, after);
        const steps = (await plan(sql, values)).filter((step) => step !== 'USE TEMP B-TREE FOR ORDER BY');
        expect(steps).toEqual([expect.stringContaining(`SEARCH jobs USING INDEX ${index} (`)]);
        const page = await env.DB.prepare(sql)
          .bind(...values)
          .all();
        if (!combination.q) expect([page.results.length, page.meta.rows_read < 500]).toEqual([101, true]);
      }
    }
    expect(await plan('SELECT id FROM jobs WHERE summary = ?', ['x'])).toEqual(['SCAN jobs']);
  });

  test('are paged without repeats and gaps while others come, go on and are deleted', async () => {
    await listAll(many);
    const changing = many.slice(0, 300).values();
    const seen = await walk({ limit: '100' }, async () => {
      const [restless] = changing;
      if (restless) await listJob(env.DB, { ...restless, status: 'processing', updated_at: at(9999) }, 2);
      const late = made(5000);
      await listJob(env.DB, late, 1);
      const gone = made(5001);
      await listJob(env.DB, gone, 1);
      await unlistJob(env.DB, gone.id, 2);
    });
    expect(ids(seen)).toEqual(ids(newestFirst(many)));
  });
});

describe('refused', () => {
  const cursor = async (): Promise<string> => {
    await listAll([made(0), made(1)]);
    return (await page({ limit: '1' })).next_cursor ?? '';
  };
  const encoded = (value: unknown): string =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: 'base64url', omitPadding: true });

  test('is a cursor that no page gave', async () => {
    const good = await cursor();
    expect((await page({ cursor: good })).jobs).toHaveLength(1);
    const id = crypto.randomUUID();
    const forged = [null, [], {}, [1], ['1', id], [1.5, id], [-1, id], [1, 'x'], [1, id, 1], [1, "' OR 1=1"]].map(
      encoded,
    );
    for (const bad of ['', '1', '%', `${good}=`, good.slice(1), good.slice(0, -2), `${good}AA`, ...forged]) {
      const answer = await call(`/jobs?${new URLSearchParams({ cursor: bad })}`);
      expect([bad, await problemOf(answer)]).toMatchObject([bad, { status: 400, code: 'invalid_field' }]);
    }
  });

  test.each([
    ['?colour=red', '?q=red'],
    ['?status=done', '?status=completed'],
    ['?status=', '?'],
    ['?limit=0', '?limit=1'],
    ['?limit=101', '?limit=100'],
    ['?limit=', '?limit=20'],
    ['?limit=x', '?limit=7'],
    [`?q=${'x'.repeat(256)}`, `?q=${'x'.repeat(255)}`],
    [`?cursor=${'x'.repeat(201)}`, '?q='],
  ])('is %s, but not %s', async (bad, good) => {
    expect(await problemOf(await call(`/jobs${bad}`))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect((await call(`/jobs${good}`)).status).toBe(200);
  });

  test('is everything while the database is away: list_unavailable; jobs themselves are there', async () => {
    const id = await submit();
    const prepare = () => {
      throw new Error('D1_ERROR: Network connection lost.');
    };
    const away = { DB: { prepare } as unknown as D1Database };
    expect(await problemOf(await ask('/jobs', away))).toMatchObject({ status: 503, code: 'list_unavailable' });
    expect((await ask(`/jobs/${id}`, away)).status).toBe(200);
    expect((await ask('/jobs', {})).status).toBe(200);
  });
});

test('a row that an older version wrote otherwise is left out, and pages go on behind it', async () => {
  const jobs = [made(1), made(2), made(3)];
  await listAll(jobs);
  await env.DB.prepare('UPDATE jobs SET summary = ? WHERE id = ?')
    .bind('{"id":"of old"}', jobs[1]?.id ?? '')
    .run();
  const all = await walk({ limit: '3' });
  expect(ids(all)).toEqual([jobs[2]?.id, jobs[0]?.id]);
  const { jobs: second, next_cursor } = await page({ limit: '2' });
  expect(ids(second)).toEqual([jobs[2]?.id]);
  expect(ids((await page({ limit: '2', cursor: next_cursor ?? '' })).jobs)).toEqual([jobs[0]?.id]);
});
