/** Several jobs over one connection: each as its own stream tells it, resumed by one id, none in the way of another. */
import { beforeAll, expect, test } from 'vitest';
import { call, completedJob, job, post, problemOf, submit } from './edge.ts';
import { EventReader, type StreamEvent } from './events.ts';

/** Two completed jobs. */
const done: string[] = [];

beforeAll(async () => {
  done.push(await completedJob(), await completedJob());
});

const open = (jobs: string[], lastEventId?: string): Promise<Response> =>
  call(
    `/streams?jobs=${jobs.join(',')}`,
    lastEventId === undefined ? {} : { headers: { 'Last-Event-ID': lastEventId } },
  );

/** The common id of an event, as it stood in the stream. */
const idsIn = (reader: EventReader): string[] => [...reader.raw.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '');

const namesOf = (events: StreamEvent[], id: string): string[] =>
  events.filter(({ data }) => data.job_id === id).map(({ event }) => event);

test('each job is told as its own stream tells it, under the seqs of all in the order asked', async () => {
  const [first, second] = [await submit(), await submit()];
  const answer = await open([first, second]);
  expect(answer.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8');
  const reader = new EventReader(answer);
  await reader.until(({ data }) => data.job_id === second);
  await post(`/jobs/${second}/cancel`, {});
  await reader.until(({ event }) => event === 'cancelled');
  await post(`/jobs/${first}/cancel`, {});
  const [last] = (await reader.rest()).slice(-1);
  expect(last).toMatchObject({ event: 'cancelled', data: { job_id: first } });
  const [ends, id] = [[await job(first), await job(second)].map(({ last_event_id }) => last_event_id), idsIn(reader)];
  expect(id.at(-1)).toBe(ends.join('.'));
  for (const one of id) expect(one).toMatch(/^\d+\.\d+$/);
  expect(reader.raw.match(/^retry: /gm)).toHaveLength(1);
});

test('the common id resumes every job where it was, and 204 says that all have ended', async () => {
  const [ended = '', open1] = [done[0], await submit()];
  const reader = new EventReader(await open([ended, open1]));
  const events = await reader.until(({ event }) => event === 'complete');
  expect(namesOf(events, ended)).toEqual(['status', 'complete']);
  await reader.cancel();
  const id = idsIn(reader).at(-1) ?? '';

  await post(`/jobs/${open1}/cancel`, {});
  const rest = new EventReader(await open([ended, open1], id));
  const resumed = await rest.rest();
  expect(namesOf(resumed, ended)).toEqual([]);
  expect(namesOf(resumed, open1).at(-1)).toBe('cancelled');
  const answer = await open([ended, open1], idsIn(rest).at(-1));
  expect([answer.status, await answer.text()]).toEqual([204, '']);
});

test('a job that nobody knows is told as an event, and the others go on', async () => {
  const [known, unknown] = [await submit(), crypto.randomUUID()];
  const reader = new EventReader(await open([unknown, known]));
  await reader.until(({ event }) => event === 'status');
  await post(`/jobs/${known}/cancel`, {});
  await reader.rest();
  expect(reader.raw).toContain(`event: unavailable\ndata: {"job_id":"${unknown}","code":"job_not_found"`);
  expect(reader.raw).toContain('event: cancelled');
  expect((await open([unknown, known], idsIn(reader).at(-1))).status).toBe(204);
});

test('when none is known, that is told once', async () => {
  const unknown = crypto.randomUUID();
  const reader = new EventReader(await open([unknown]));
  expect((await reader.rest()).map(({ event }) => event)).toEqual(['unavailable']);
  expect((await open([unknown], idsIn(reader).at(-1))).status).toBe(204);
});

test.each(['1', '1.2.3', 'a.b', '1.-2'])('an id that is not one seq for each job (%s) begins afresh', async (id) => {
  const events = await new EventReader(await open(done, id)).rest();
  for (const one of done) expect(namesOf(events, one)[0]).toBe('status');
});

test('a job whose place is empty begins afresh, beside others that are resumed', async () => {
  const [known, added] = [await submit(), await submit()];
  const { last_event_id } = await job(known);
  const reader = new EventReader(await open([known, added], `${last_event_id}.`));
  const before = await reader.until(({ data }) => data.job_id === added);
  await Promise.all([known, added].map((id) => post(`/jobs/${id}/cancel`, {})));
  const events = [...before, ...(await reader.rest())];
  expect([namesOf(events, known)[0], namesOf(events, added)[0]]).toEqual(['cancelled', 'status']);
});

test('when what was known is over, a job that comes to it and is not there is told all the same', async () => {
  const [ended = ''] = done;
  const { last_event_id } = await job(ended);
  const answer = await open([ended, crypto.randomUUID()], `${last_event_id}.`);
  expect((await new EventReader(answer).rest()).map(({ event }) => event)).toEqual(['unavailable']);
});

const some = (count: number): string[] => Array.from({ length: count }, () => crypto.randomUUID());
const twice = crypto.randomUUID();

test.each<[string, string]>([
  ['no list', '/streams'],
  ['an empty list', '/streams?jobs='],
  ['what is no id', '/streams?jobs=42'],
  ['a job twice', `/streams?jobs=${twice},${twice.toUpperCase()}`],
  ['more than fifty', `/streams?jobs=${some(51)}`],
])('%s is refused', async (_, path) => {
  expect(await problemOf(await call(path))).toMatchObject({ status: 400, code: 'invalid_request' });
});

test('fifty are taken', async () => {
  const jobs = [...some(49), ...done.slice(0, 1)];
  const events = await new EventReader(await open(jobs)).rest();
  expect(events.filter(({ event }) => event === 'unavailable')).toHaveLength(49);
  expect(events.at(-1)?.event).toBe('complete');
});
