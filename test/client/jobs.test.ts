/** The API against the real edge: what it answers, what it refuses, and the job as the stream tells it. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiError, type Job, type ListOptions, Reelwire } from '../../client/index.ts';
import { type JobSnapshot, JobStore } from '../../client/job-store.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { System } from '../e2e/system.ts';
import { answer, held, problem } from './faulty.ts';
import { failure, faulty, JOB } from './watching.ts';

let system: System;
let client: Reelwire;
beforeAll(async () => {
  system = await System.start();
  client = new Reelwire({ url: system.url });
});
afterAll(() => system.stop());

const OPTIONS = { quality: 'high', ladder: [360], mp4: true } as const;
const video = randomBytes(1000);

test.each<[string, () => Blob | ReadableStream<Uint8Array>, string]>([
  ['a file', () => new File([video], 'holiday.mp4', { type: 'video/mp4' }), 'holiday.mp4'],
  ['a blob', () => new Blob([video]), 'video'],
  ['a stream', () => new Blob([video]).stream(), 'video'],
])('submit() takes %s, with a name of its own or a key', async (_, make, name) => {
  const { job_id, stream_url } = await client.jobs.submit(make());
  expect(stream_url).toBe(`${system.url}/jobs/${job_id}/stream`);
  expect(await client.jobs.get(job_id)).toMatchObject({ id: job_id, key: name, status: 'pending', metadata: {} });

  const named = await client.jobs.submit(make(), {
    key: 'ein "Tag" am Meer',
    options: { ...OPTIONS, ladder: [...OPTIONS.ladder] },
    metadata: { owner: 'zoë' },
  });
  const job = await client.jobs.get(named.job_id);
  expect(job).toMatchObject({ key: 'ein "Tag" am Meer', options: OPTIONS, metadata: { owner: 'zoë' } });
  const stored = (await (await system.bindings()).INPUT.list()).objects.find(({ key }) => key.startsWith(named.job_id));
  expect(stored).toMatchObject({ size: video.length });
});

test('submitUrl() has a video fetched, with all that submit() can say', async () => {
  const url = 'http://93.184.215.14/films/holiday.mp4?signature=x';
  const { job_id } = await client.jobs.submitUrl(url);
  expect(await client.jobs.get(job_id)).toMatchObject({ key: 'holiday.mp4', stage: 'uploading', metadata: {} });
  const options = { ...OPTIONS, ladder: [...OPTIONS.ladder] };
  const named = await client.jobs.submitUrl(url, { key: 'a film', options, metadata: { owner: 'zoë' } });
  expect(await client.jobs.get(named.job_id)).toMatchObject({
    key: 'a film',
    options: OPTIONS,
    metadata: { owner: 'zoë' },
  });
  expect(await failure(client.jobs.submitUrl('http://127.0.0.1/x'))).toMatchObject({
    status: 400,
    code: 'url_refused',
  });
  for (const id of [job_id, named.job_id]) await client.jobs.delete(id);
});

test('submit() refuses what is no video before anything is sent', async () => {
  const bytes = video as unknown as Blob;
  expect(await failure(client.jobs.submit(bytes))).toMatchObject({ message: expect.stringContaining('a Blob') });
});

test('cancel() and retry() answer the new status, events() the log in pages', async () => {
  const { job_id } = await client.jobs.submit(new Blob([video]));
  expect(await client.jobs.cancel(job_id)).toEqual({ job_id, status: 'cancelled' });
  expect(await client.jobs.retry(job_id)).toEqual({ job_id, status: 'pending' });
  expect(await failure(client.jobs.retry(job_id))).toMatchObject({ status: 409, code: 'invalid_state' });
  const all = (await client.jobs.events(job_id)).events;
  expect(all.map(({ type }) => type)).toContain('cancelled');
  const [first, second] = all;
  expect((await client.jobs.events(job_id, { after: first?.seq ?? 0, limit: 1 })).events).toEqual([second]);
});

test('list() gives jobs in pages, by state and key; one that delete() took is found no more', async () => {
  const made: string[] = [];
  for (const key of ['Ferien 1', 'ferien 2', 'FERIEN 3', 'other']) {
    made.push((await client.jobs.submit(new Blob([video]), { key })).job_id);
  }
  const [first = '', second = '', third = '', other = ''] = made;
  const q = 'ferien ';
  const ids = async (options: ListOptions = {}) => (await client.jobs.list({ q, ...options })).jobs.map(({ id }) => id);
  await expect.poll(() => ids()).toEqual([third, second, first]);
  const page = await client.jobs.list({ q, limit: 2 });
  expect(page.jobs.map(({ key, status }) => [key, status])).toEqual([
    ['FERIEN 3', 'pending'],
    ['ferien 2', 'pending'],
  ]);
  const last = await client.jobs.list({ q, limit: 2, cursor: page.next_cursor });
  expect([last.jobs.map(({ id }) => id), last.next_cursor]).toEqual([[first], null]);

  await client.jobs.cancel(second);
  await expect.poll(() => ids({ status: 'cancelled' })).toEqual([second]);
  expect(await client.jobs.delete(third)).toEqual({ job_id: third, status: 'deleted' });
  expect(await failure(client.jobs.get(third))).toMatchObject({ status: 404, code: 'job_not_found' });
  await expect.poll(() => ids()).toEqual([second, first]);
  expect((await client.jobs.list({ cursor: null })).jobs.map(({ id }) => id)).toContain(other);
  expect(await failure(client.jobs.list({ cursor: 'x' }))).toMatchObject({ status: 400, code: 'invalid_field' });
});

test('a refusal is an ApiError with everything the server said', async () => {
  const error = await failure(client.jobs.get(JOB));
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 404,
    code: 'job_not_found',
    detail: expect.stringContaining('deleted'),
    requestId: expect.stringMatching(/./),
  });
});

test('an answer that is not of Reelwire is an ApiError too', async () => {
  const server = await faulty(answer(502, { 'X-Request-Id': 'r-9' }, '<h1>Bad gateway</h1>'));
  const error = await failure(new Reelwire({ url: server.url }).jobs.get(JOB));
  expect(error).toMatchObject({ name: 'ApiError', status: 502, code: 'http_502', requestId: 'r-9' });
});

test('the token goes with every request, and a new one after 401, once', async () => {
  const denied = problem(401, 'unauthorized');
  const done = answer(200, { 'Content-Type': 'application/json' }, '{"id":"x"}');
  const server = await faulty(denied, done, denied, denied);
  const tokens = ['a', 'b', 'c', 'd'];
  const { jobs } = new Reelwire({ url: server.url, getToken: () => tokens.shift() ?? null });
  expect(await jobs.get(JOB)).toEqual({ id: 'x' });
  expect(await failure(jobs.cancel(JOB))).toMatchObject({ status: 401 });
  expect(server.tokens).toEqual(['a', 'b', 'c', 'd']);
});

/** Resolves when what is shown is so. */
function until(store: JobStore, isSo: (snapshot: JobSnapshot) => boolean): Promise<void> {
  return new Promise((resolve) => {
    store.subscribe(() => {
      if (isSo(store.snapshot())) resolve();
    });
  });
}

/** What only a question answers, not the stream: measured bits, the lease, and the last events as a list. */
const told = ({ renditions, latest_events, workflow_id, ...job }: Job) => ({
  ...job,
  renditions: renditions.map(({ name, vmaf, status }) => ({ name, vmaf, status })),
});

test.each([
  ['completes', (job: DrivenJob) => job.complete()],
  ['fails', (job: DrivenJob) => job.fail({ code: 'not_media', message: 'No video', retryable: false })],
  ['is cancelled', (job: DrivenJob) => job.cancel()],
])('a job that %s is, by the stream, what the server says it is', async (_, end) => {
  const driven = await DrivenJob.submit(system.url);
  await driven.begin();
  const store = new JobStore(client, driven.id);
  expect(store.snapshot()).toEqual({ job: null, last: null, connection: 'connecting', error: null });
  const over = until(store, ({ connection }) => connection === 'closed');
  await until(store, ({ job }) => job !== null);
  await driven.tell(3);
  await end(driven);
  await over;
  const { job, last, error } = store.snapshot();
  const truth = await client.jobs.get(driven.id);
  expect(job && told(job)).toEqual(told(truth));
  expect([last?.id, error]).toEqual([truth.last_event_id, null]);
});

test('a job can be played from the moment that the stream says so', async () => {
  const driven = await DrivenJob.submit(system.url);
  await driven.begin();
  const store = new JobStore(client, driven.id);
  const playable = until(store, ({ last }) => last?.event === 'playable');
  const early = until(store, ({ job }) => job !== null && job.status !== 'completed' && job.playback.hls !== null);
  await until(store, ({ job }) => job !== null);
  expect(store.snapshot().job?.playback.hls).toBeNull();
  await driven.complete();
  await Promise.all([playable, early]);
});

test('a stream is open while somebody has subscribed, once for all of them', async () => {
  const { step, opened } = held();
  const server = await faulty(step, step);
  const store = new JobStore(new Reelwire({ url: server.url }), JOB);
  const first = store.subscribe(() => undefined);
  const second = store.subscribe(() => undefined);
  const gone = once(await opened, 'close');
  first();
  expect(store.snapshot().connection).not.toBe('closed');
  second();
  await gone;
  expect(server.requests).toHaveLength(1);
});

test('a store without a job is closed and quiet; one whose job is unknown says why', async () => {
  const none = new JobStore(client, null);
  none.subscribe(() => expect.unreachable())();
  expect(none.snapshot().connection).toBe('closed');
  const unknown = new JobStore(client, JOB);
  const leave = await new Promise<() => void>((resolve) => {
    const stop = unknown.subscribe(() => unknown.snapshot().error && resolve(stop));
  });
  leave();
  expect(unknown.snapshot().error).toMatchObject({ code: 'refused', status: 404 });
});
