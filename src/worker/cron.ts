/**
 * What is done once a day. Objects of no job are removed, jobs that may have lost their timers are woken, and
 * tombstones of the list are forgotten. All of it repairs what should not have happened, so nothing depends on when it
 * runs, and each part goes as far as it can: what fails is logged and the rest goes on.
 *
 * The list of jobs only spares questions. Whether a job is gone, its object decides; and since a job may be about to
 * begin, what is younger than a day stays.
 */
import { JobId } from '../contract/ids.ts';
import { type Env, settings } from '../durable/env.ts';
import { withTables } from '../durable/job-list.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TOMBSTONE_DAYS = 30;

/** At most so many jobs are woken in one run; those that were not looked at for longest come first. */
const WAKES = 500;

/** How many jobs are asked at once. */
const AT_ONCE = 6;

const LISTED = 'SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL';

/** Takes note of all that it returns, so that jobs which stay as they are do not keep others from being woken. */
const TO_WAKE = `UPDATE jobs SET woken_at = ?1 WHERE id IN (
    SELECT id FROM jobs
    WHERE (deleted_at IS NULL AND status IN ('pending', 'processing') AND updated_at < ?2) OR completed_at < ?3
    ORDER BY woken_at, updated_at LIMIT ${WAKES})
  RETURNING id, updated_at`;

export async function daily(env: Env, now: number): Promise<void> {
  await noted({ part: 'orphans' }, () => sweepOrphans(env, now));
  await noted({ part: 'jobs' }, () => wakeJobs(env, now));
  await noted({ part: 'tombstones' }, () => forgetTombstones(env, now));
}

/** Removes from both buckets what belongs to no job and is older than a day. */
export async function sweepOrphans(env: Env, now: number): Promise<void> {
  for (const [name, bucket] of Object.entries({ input: env.INPUT, output: env.OUTPUT })) {
    await noted({ part: 'orphans', bucket: name }, async () => {
      for await (const ids of jobsIn(bucket)) {
        const listed = await listedOf(env, ids);
        const unlisted = ids.filter((id) => !listed.has(id));
        await forEach(unlisted, async (id) => {
          if (!(await env.JOB.getByName(id).isOwned())) await sweepOld(bucket, `${id}/`, now - DAY_MS);
        });
      }
    });
  }
}

/** Lets jobs look after their timers: those that have been silent for long, and those that should be deleted by now. */
export async function wakeJobs(env: Env, now: number): Promise<void> {
  const silentSince = now - HOUR_MS;
  const endedBefore = now - (settings(env).RETENTION_DAYS + 1) * DAY_MS;
  const { results } = await withTables(env.DB, () =>
    env.DB.prepare(TO_WAKE).bind(now, silentSince, endedBefore).all<{ id: string; updated_at: number }>(),
  );
  const ids = results.toSorted((a, b) => a.updated_at - b.updated_at).map(({ id }) => id);
  await forEach(ids, (id) => env.JOB.getByName(id).wake());
}

export async function forgetTombstones(env: Env, now: number): Promise<void> {
  const before = now - TOMBSTONE_DAYS * DAY_MS;
  await withTables(env.DB, () => env.DB.prepare('DELETE FROM jobs WHERE deleted_at < ?').bind(before).run());
}

/** The jobs that a bucket has objects of, a page at a time. What does not lie below a job's id is not ours. */
async function* jobsIn(bucket: R2Bucket): AsyncGenerator<string[]> {
  for await (const { delimitedPrefixes } of pages(bucket, { delimiter: '/' })) {
    yield delimitedPrefixes.map((prefix) => prefix.slice(0, -1)).filter((id) => JobId.safeParse(id).data === id);
  }
}

/** Which of these jobs are in the list; none if it cannot be read, and then every job is asked. */
async function listedOf(env: Env, ids: string[]): Promise<Set<string>> {
  const listed = new Set<string>();
  await noted({ part: 'orphans', asked: ids.length }, async () => {
    const read = () => env.DB.prepare(LISTED).bind(JSON.stringify(ids)).all<{ id: string }>();
    for (const { id } of (await withTables(env.DB, read)).results) listed.add(id);
  });
  return listed;
}

async function sweepOld(bucket: R2Bucket, prefix: string, before: number): Promise<void> {
  for await (const { objects } of pages(bucket, { prefix })) {
    const old = objects.filter(({ uploaded }) => uploaded.getTime() < before).map(({ key }) => key);
    if (old.length > 0) await bucket.delete(old);
  }
}

async function* pages(bucket: R2Bucket, options: R2ListOptions): AsyncGenerator<R2Objects> {
  let page = await bucket.list(options);
  yield page;
  while (page.truncated) {
    page = await bucket.list({ ...options, cursor: page.cursor });
    yield page;
  }
}

/** A few at once, in this order. */
async function forEach(ids: readonly string[], work: (id: string) => Promise<unknown>): Promise<void> {
  const rest = ids.values();
  const some = async (): Promise<void> => {
    for (const job of rest) await noted({ job }, () => work(job));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

async function noted(about: Record<string, unknown>, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(JSON.stringify({ msg: 'daily work failed', ...about, error: String(error) }));
  }
}
