/** The stream of a job: framing byte by byte, its end, what old clients rely on, and where it is. */
import { describe, expect, test } from 'vitest';
import { Job as JobView } from '../../src/contract/job.ts';
import { call, completedJob, finish, job, lease, makeOutputs, post, problemOf, submit } from './edge.ts';
import { EventReader } from './events.ts';
import { eventsOf, log, names, open } from './streaming.ts';

describe('framing', () => {
  test('headers that keep proxies from holding events back come at once', async () => {
    const answer = await open(await submit());
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
    });
    await answer.body?.cancel();
  });

  test('the bytes are retry, then per event id, name, one line of data, an empty line', async () => {
    const id = await submit();
    await post(`/jobs/${id}/cancel`, {});
    const reader = new EventReader(await open(id, '0'));
    await reader.rest();
    const blocks = (await log(id)).map(
      ({ seq, type, data }) => `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`,
    );
    expect(reader.raw).toBe(`retry: 2000\n\n${blocks.join('')}`);
  });

  test('a key with every awkward character stays one line of data', async () => {
    const key = 'a"b\\c é 漢字 \u2028 data: x';
    const answer = await call(`/process?key=${encodeURIComponent(key)}`, {
      method: 'POST',
      body: 'x',
      headers: { 'Content-Type': 'video/mp4' },
    });
    const { job_id } = await answer.json<{ job_id: string }>();
    const reader = new EventReader(await open(job_id));
    const status = await reader.next();
    expect(status?.data.key).toBe(key);
    expect(reader.raw.split('\n').filter((line) => line.startsWith('data:'))).toHaveLength(1);
    await reader.cancel();
  });

  test('a fresh connection gets the job as GET shows it, then only what is new', async () => {
    const id = await submit();
    const reader = new EventReader(await open(id));
    const status = await reader.next();
    const { job_id, message, timestamp, ...rest } = status?.data ?? {};
    expect(JobView.parse(rest)).toEqual(await job(id));
    expect([status?.event, job_id, message, typeof timestamp]).toEqual([
      'status',
      id,
      'Connected to progress stream',
      'string',
    ]);
    expect(status?.id).toBe((await job(id)).last_event_id);
    await post(`/jobs/${id}/cancel`, {});
    expect(names(await reader.rest())).toEqual(['cancelled']);
  });
});

describe('the end of a run', () => {
  test('done comes directly before complete, without an id, then the stream closes', async () => {
    const id = await submit();
    const reader = new EventReader(await open(id));
    const number = await lease(id);
    await makeOutputs(id, number);
    await finish(id, number);
    const events = await reader.rest();
    expect(events.slice(-3).map(({ event, id, data }) => [event, id === null, data.progress])).toEqual([
      ['progress', false, 100],
      ['done', true, undefined],
      ['complete', false, 100],
    ]);
    expect(names(events)).toContain('playable');
  });

  test('a fresh connection to an ended job gets status with the id before the end, the end, the close', async () => {
    const id = await completedJob();
    const events = await eventsOf(await open(id));
    const end = (await job(id)).last_event_id;
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ['status', end - 1],
      ['done', null],
      ['complete', end],
    ]);
  });

  test('a reconnect from the last id gets 204, from the one before it the end', async () => {
    const id = await completedJob();
    const end = (await job(id)).last_event_id;
    const answer = await open(id, String(end));
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(names(await eventsOf(await open(id, String(end - 1))))).toEqual(['done', 'complete']);
  });

  test('an error ends the stream too, and no done is sent', async () => {
    const id = await submit();
    const number = await lease(id);
    const reader = new EventReader(await open(id));
    const error = { code: 'not_media', message: 'This file is no video.', retryable: false };
    await post(`/internal/jobs/${id}/finish`, { lease: number, error });
    const events = await reader.rest();
    expect(names(events)).toEqual(['status', 'error']);
    expect(events.at(-1)?.data).toMatchObject({
      status: 'failed',
      message: error.message,
      details: { code: 'not_media', retryable: false },
    });
  });

  test('a replay across a retry goes on past the end of the run before', async () => {
    const id = await submit();
    await post(`/jobs/${id}/cancel`, {});
    const cancelledAt = (await job(id)).last_event_id;
    expect((await post(`/jobs/${id}/retry`, {})).status).toBe(202);
    const end = (await job(id)).last_event_id;
    const reader = new EventReader(await open(id, '0'));
    expect(names(await reader.until((event) => event.id === end))).toContain('cancelled');
    await reader.cancel();
    const fresh = new EventReader(await open(id, String(cancelledAt)));
    expect((await fresh.next())?.event).toBe('status');
    await fresh.cancel();
  });
});

describe('which address', () => {
  test('/events with Accept: text/event-stream is the stream too', async () => {
    const id = await completedJob();
    const answer = await call(`/jobs/${id}/events`, { headers: { Accept: 'text/event-stream' } });
    expect(answer.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8');
    expect((await eventsOf(answer)).at(-1)?.event).toBe('complete');
  });

  test('an unknown job is 404, a malformed id 400', async () => {
    expect(await problemOf(await open(crypto.randomUUID()))).toMatchObject({ status: 404, code: 'job_not_found' });
    expect(await problemOf(await open('42'))).toMatchObject({ status: 400, code: 'invalid_job_id' });
  });

  test('a UUID in capitals is the same job', async () => {
    const id = await completedJob();
    expect((await eventsOf(await open(id.toUpperCase()))).at(-1)?.event).toBe('complete');
  });
});
