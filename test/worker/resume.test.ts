/** Resuming a stream, from wherever and however often, and what becomes of watchers that leave. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/durable/job/job.ts';
import { completedJob, env, finish, job, lease, makeOutputs, post, report, submit } from './edge.ts';
import { EventReader } from './events.ts';
import { eventsOf, ids, log, needed, open } from './streaming.ts';

describe('resuming', () => {
  let done = '';
  beforeAll(async () => {
    done = await completedJob();
  });

  test.each<[string, string | undefined, string]>([
    ['the header', '4', ''],
    ['the header, whatever the query says', '4', '?last_event_id=2'],
    ['last_event_id in the query', undefined, '?last_event_id=4'],
    ['lastEventId in the query', undefined, '?lastEventId=4'],
  ])('by %s: exactly the rest', async (_, header, query) => {
    const rest = (await needed(done)).filter((seq) => seq > 4);
    const events = await eventsOf(await open(done, header, query));
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

  test('from 0 over a log of some hundred KiB: all of it, in order', async () => {
    const id = await submit();
    const number = await lease(id);
    const warning = {
      type: 'warning' as const,
      code: 'decode_errors' as const,
      message: 'x',
      details: { text: 'x'.repeat(2000) },
    };
    for (const batch of [1, 2])
      await report(id, number, batch, { entries: Array.from({ length: 100 }, () => warning) });
    await post(`/jobs/${id}/cancel`, {});
    const reader = new EventReader(await open(id, '0'));
    expect(ids(await reader.rest())).toEqual(await needed(id));
    expect(reader.raw.length).toBeGreaterThan(300_000);
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
      expect((await eventsOf(await open(done, given)))[0]?.event).toBe('status');
    },
  );

  test('twenty readers that keep reconnecting while it is written miss nothing and repeat nothing', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    const write = async () => {
      for (let batch = 2; batch <= 101; batch++) {
        const warning = { type: 'warning', code: 'decode_errors', message: `of ${batch}`, details: {} } as const;
        expect((await report(id, number, batch, { entries: [warning] })).status).toBe(200);
      }
    };
    const written = write();
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
    await written;
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
