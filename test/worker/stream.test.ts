/** The stream of a job: framing byte by byte, resuming, its end, and what old clients rely on. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { Job as JobView } from '../../src/contract/job.ts';
import type { Job } from '../../src/durable/job/job.ts';
import { call, completedJob, env, finish, job, lease, makeOutputs, post, problemOf, report, submit } from './edge.ts';
import { EventReader, type StreamEvent } from './events.ts';

const open = (id: string, lastEventId?: string, query = ''): Promise<Response> =>
  call(`/jobs/${id}/stream${query}`, lastEventId === undefined ? {} : { headers: { 'Last-Event-ID': lastEventId } });

async function eventsOf(answer: Response): Promise<StreamEvent[]> {
  return new EventReader(answer).rest();
}

const ids = (events: StreamEvent[]): (number | null)[] => events.map(({ id }) => id);
const names = (events: StreamEvent[]): string[] => events.map(({ event }) => event);

/** The visible log, as `/events` gives it. */
async function log(id: string): Promise<{ seq: number; type: string; data: unknown }[]> {
  const { events } = await (await call(`/jobs/${id}/events?limit=1000`)).json<{
    events: { seq: number; type: string; data: unknown }[];
  }>();
  return events;
}

/** The log as one who is behind may get it at the least: no `progress` that a newer one of its stage and attempt replaces. */
async function needed(id: string): Promise<number[]> {
  let newer: unknown = null;
  const kept: number[] = [];
  for (const { seq, type, data } of (await log(id)).toReversed()) {
    const { stage } = data as { stage: string };
    if (type === 'state') newer = null;
    if (type !== 'progress' || stage !== newer) kept.unshift(seq);
    if (type === 'progress') newer = stage;
  }
  return kept;
}

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

describe('resuming', () => {
  test.each<[string, string | undefined, string]>([
    ['the header', '4', ''],
    ['the header, whatever the query says', '4', '?last_event_id=2'],
    ['last_event_id in the query', undefined, '?last_event_id=4'],
    ['lastEventId in the query', undefined, '?lastEventId=4'],
  ])('by %s: exactly the rest', async (_, header, query) => {
    const id = await completedJob();
    const rest = (await needed(id)).filter((seq) => seq > 4);
    const events = await eventsOf(await open(id, header, query));
    expect(ids(events).filter((seq) => seq !== null)).toEqual(rest);
  });

  test('from 0: everything but progress that a newer one of the same stage and attempt supersedes', async () => {
    const id = await submit();
    const number = await lease(id);
    await report(id, number, 1, { entries: [{ type: 'stage', stage: 'transcoding', message: 'go' }] });
    await makeOutputs(id, number, 2);
    await finish(id, number);
    const events = await eventsOf(await open(id, '0'));
    expect(ids(events).filter((seq) => seq !== null)).toEqual(await needed(id));
    expect((await log(id)).length).toBeGreaterThan((await needed(id)).length);
  });

  test('from 0 across two attempts: the progress of each', async () => {
    const id = await submit();
    const error = { code: 'encode_failed', message: 'It broke.', retryable: true };
    for (const _ of [1, 2]) {
      const number = await lease(id);
      await report(id, number, 1, { entries: [{ type: 'stage', stage: 'transcoding', message: 'go' }] });
      await post(`/internal/jobs/${id}/finish`, { lease: number, error });
    }
    await post(`/jobs/${id}/cancel`, {});
    const progress = (await eventsOf(await open(id, '0'))).filter(({ event }) => event === 'progress');
    expect(progress.filter(({ data }) => data.stage === 'transcoding')).toHaveLength(2);
  });

  test.each(['abc', '-1', '1.5', '99999', '1e3', ''])(
    'from %j, which cannot be resumed from: a fresh status',
    async (given) => {
      const id = await completedJob();
      expect((await eventsOf(await open(id, given)))[0]?.event).toBe('status');
    },
  );

  test('twenty readers that keep reconnecting under concurrent writes miss nothing and repeat nothing', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    let batch = 1;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; i < 25; i++) {
        batch += 1;
        const warning = {
          type: 'warning' as const,
          code: 'decode_errors' as const,
          message: `${writer}/${i}`,
          details: {},
        };
        expect((await report(id, number, batch, { entries: [warning] })).status).toBe(200);
      }
    });
    const readers = Array.from({ length: 20 }, async (_, n) => {
      const seen: number[] = [];
      for (let cut = 1; ; cut++) {
        const reader = new EventReader(await open(id, String(seen.at(-1) ?? 0)));
        let budget = ((n + cut) % 7) + 1;
        const events = await reader.until(() => --budget === 0);
        for (const { id, event } of events) if (id !== null && event !== 'status') seen.push(id);
        if (events.some(({ event }) => event === 'complete')) return seen;
        await reader.cancel();
      }
    });
    await Promise.all(writers);
    await finish(id, number);
    const all = (await log(id)).map(({ seq }) => seq);
    const must = await needed(id);
    expect(must.length).toBeGreaterThan(100);
    for (const seen of await Promise.all(readers)) {
      expect(seen).toEqual(all.filter((seq) => seen.includes(seq)));
      expect(seen.filter((seq) => must.includes(seq))).toEqual(must);
    }
  });

  test('an object that lost its memory knows the same state and log again', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    const [before, beforeLog] = [await job(id), await log(id)];
    await evictDurableObject(env.JOB.getByName(id));
    expect([await job(id), await log(id)]).toEqual([before, beforeLog]);
    expect((await finish(id, number)).status).toBe(200);
  });
});

describe('watchers', () => {
  test('one that went away is forgotten, and the others and the log are not disturbed', async () => {
    const id = await submit();
    const [stays, leaves] = [new EventReader(await open(id)), new EventReader(await open(id))];
    await Promise.all([stays.next(), leaves.next()]);
    await leaves.cancel();
    const number = await lease(id);
    expect((await stays.next())?.event).toBe('state');
    await report(id, number, 1, { entries: [{ type: 'stage', stage: 'transcoding', message: 'go' }] });
    await expect
      .poll(() => runInDurableObject(env.JOB.getByName(id), (instance: Job) => instance.watching.watchers))
      .toBe(1);
    await post(`/jobs/${id}/cancel`, {});
    expect((await stays.rest()).at(-1)?.event).toBe('cancelled');
    expect(await runInDurableObject(env.JOB.getByName(id), (instance: Job) => instance.watching.watchers)).toBe(0);
  });

  test('all who have caught up get all of what comes at once, superseded progress too', async () => {
    const id = await submit();
    const readers = [new EventReader(await open(id)), new EventReader(await open(id))];
    await Promise.all(readers.map((reader) => reader.next()));
    const number = await lease(id);
    await makeOutputs(id, number);
    await post(`/jobs/${id}/cancel`, {});
    const all = (await log(id)).map(({ seq }) => seq);
    for (const reader of readers) {
      const seen = ids(await reader.rest());
      expect(seen).toEqual(all.filter((seq) => seq >= (seen[0] ?? 0)));
    }
    expect((await needed(id)).length).toBeLessThan(all.length);
  });

  test('a hundred that come and go leave none behind', async () => {
    const id = await submit();
    for (let i = 0; i < 100; i++) {
      const reader = new EventReader(await open(id));
      await reader.next();
      await reader.cancel();
    }
    await lease(id);
    await expect
      .poll(() => runInDurableObject(env.JOB.getByName(id), (instance: Job) => instance.watching.watchers))
      .toBe(0);
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
