/** Clock-driven behaviour, with the alarm run by hand. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { JobOptions } from '../../src/contract/job.ts';
import { MAX_ATTEMPTS } from '../../src/durable/job/machine.ts';
import { UploadStore } from '../../src/durable/upload/store.ts';
import type { Description } from '../../src/durable/upload/stored.ts';
import type { Upload } from '../../src/durable/upload/upload.ts';
import { fire, secondsUntil, timer, timers } from './clock.ts';
import { call, env, finish, job, keys, lease, makeOutputs, post, problemOf, report, submit } from './edge.ts';

describe('the lease', () => {
  test('not renewed in time is taken back; the job waits again and its segments stay', async () => {
    const id = await submit();
    const first = await lease(id);
    await makeOutputs(id, first);
    await fire(id, 'lease');
    const events = (await job(id)).latest_events
      .slice(-2)
      .map(({ event, details }) => [event, details?.code ?? details?.state]);
    expect(events).toEqual([
      ['warning', 'transcoder_lost'],
      ['state', 'queued'],
    ]);
    expect((await call(`/jobs/${id}/outputs/360p/t${first}/1.m4s`)).status).toBe(200);
    expect(await problemOf(await report(id, first, 9))).toMatchObject({ code: 'lease_lost' });
    expect(await problemOf(await finish(id, first))).toMatchObject({ code: 'lease_lost' });
    expect(await lease(id)).toBe(first + 1);
  });

  test('every report puts it off', async () => {
    const id = await submit();
    const number = await lease(id);
    await runInDurableObject(env.JOB.getByName(id), (_, { storage }) => {
      storage.sql.exec(`UPDATE timers SET due_at = ? WHERE kind = 'lease'`, Date.now() + 1000);
    });
    await report(id, number, 1);
    expect(secondsUntil(await timer(id, 'lease'))).toBeGreaterThan(25);
  });

  test('an alarm that is late because the edge was away renews it once, and only once', async () => {
    const id = await submit();
    await lease(id);
    await evictDurableObject(env.JOB.getByName(id));
    await fire(id, 'lease', 5500);
    expect((await job(id)).status).toBe('processing');
    expect(secondsUntil(await timer(id, 'lease'))).toBeGreaterThan(25);
    await fire(id, 'lease', 5500);
    expect((await job(id)).status).toBe('pending');
  });

  test('lost again and again without a new segment, the job fails and says so', async () => {
    const id = await submit();
    for (let i = 0; i < MAX_ATTEMPTS; i++) {
      await lease(id);
      await fire(id, 'lease');
    }
    expect(await job(id)).toMatchObject({ status: 'failed', error: { code: 'transcoder_lost', retryable: true } });
    expect(
      (await timers(id)).map(({ kind }) => kind).filter((kind) => kind === 'lease' || kind === 'doorbell'),
    ).toEqual([]);
  });
});

describe('the doorbell', () => {
  const depth = async (id: string): Promise<number> => {
    const answer = await post('/client/v4/accounts/a/queues/reelwire-transcode/messages/pull', {
      batch_size: 100,
      visibility_timeout_ms: 0,
    });
    const { result } = await answer.json<{ result: { messages: { body: string }[] } }>();
    return result.messages.filter(({ body }) => body.includes(id)).length;
  };

  test('rings for a new job, and again after 1, 5, 15, then every 60 minutes', async () => {
    const id = await submit();
    await expect.poll(() => depth(id)).toBe(1);
    const minutes: number[] = [];
    for (let i = 0; i < 5; i++) {
      minutes.push(secondsUntil(await timer(id, 'doorbell')) / 60);
      await fire(id, 'doorbell');
    }
    expect(minutes).toEqual([1, 5, 15, 60, 60]);
    await expect.poll(() => depth(id)).toBe(6);
  });

  test('is silent once the job is taken, and rings at once when it is handed back', async () => {
    const id = await submit();
    const number = await lease(id);
    expect(await timer(id, 'doorbell')).toBeUndefined();
    await post(`/internal/jobs/${id}/release`, { lease: number });
    await expect.poll(() => depth(id)).toBeGreaterThan(0);
    await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
  });

  test('that was set anew while the queue took its time is not put off', async () => {
    const id = await submit();
    await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
    const sent = await runInDurableObject(env.JOB.getByName(id), async (instance) => {
      const calls: unknown[] = [];
      const slow = {
        send: async (message: unknown) => {
          calls.push(message);
          if (calls.length > 1) return;
          const number = await lease(id);
          await post(`/internal/jobs/${id}/release`, { lease: number });
        },
      };
      Object.defineProperty(instance, 'env', { value: { ...env, TRANSCODE_QUEUE: slow }, configurable: true });
      return calls;
    });
    await fire(id, 'doorbell');
    await expect.poll(() => sent.length).toBe(2);
  });

  test('after a queue that does not take the message it rings again soon', async () => {
    const id = await submit();
    await expect.poll(async () => secondsUntil(await timer(id, 'doorbell'))).toBeGreaterThan(50);
    await runInDurableObject(env.JOB.getByName(id), (instance) => {
      const broken = { send: () => Promise.reject(new Error('queue is down')) };
      Object.defineProperty(instance, 'env', { value: { ...env, TRANSCODE_QUEUE: broken }, configurable: true });
    });
    await fire(id, 'doorbell');
    expect(secondsUntil(await timer(id, 'doorbell'))).toBeLessThanOrEqual(2);
    expect((await job(id)).status).toBe('pending');
  });
});

describe('an upload', () => {
  const begun = async (id: string): Promise<DurableObjectStub<Upload>> => {
    const upload = env.UPLOAD.getByName(id);
    const multipart = env.INPUT.resumeMultipartUpload(`${id}/source`, await upload.begin(id));
    const part = await multipart.uploadPart(1, 'the bytes of a source');
    expect(await upload.addPart(part, 21)).toBe(true);
    return upload;
  };
  /** As a crash leaves it: the body is whole, and that is all. */
  const describeIt = (upload: DurableObjectStub<Upload>, description: Description): Promise<void> =>
    runInDurableObject(upload, (_, { storage }) => {
      const store = new UploadStore(storage);
      const stored = store.load();
      if (stored?.via !== 'body') throw new Error('There is no upload');
      store.save({ ...stored, description });
    });
  const options = JobOptions.parse({});
  const description = { key: 'clip', metadata: {}, options, content_type: 'video/mp4', by: 'the API' };

  test('that falls silent is given up and leaves nothing; late parts are refused', async () => {
    const id = crypto.randomUUID();
    const upload = await begun(id);
    expect(await runDurableObjectAlarm(upload)).toBe(true);
    expect(await keys(env.INPUT, id)).toEqual([]);
    expect(await upload.addPart({ partNumber: 2, etag: 'x' } as R2UploadedPart, 1)).toBe(false);
    expect(await upload.complete(id, description)).toBe(false);
    expect(await problemOf(await call(`/jobs/${id}`))).toMatchObject({ code: 'job_not_found' });
  });

  test('that is whole can be completed twice, and is not aborted any more', async () => {
    const id = crypto.randomUUID();
    const upload = await begun(id);
    await describeIt(upload, description);
    await upload.abort();
    expect(await upload.complete(id, description)).toBe(true);
    expect(await upload.complete(id, description)).toBe(true);
    expect(await job(id)).toMatchObject({ key: 'clip', status: 'pending' });
  });

  test('of which bytes come, though no part is whole, is not silent', async () => {
    const id = crypto.randomUUID();
    const upload = await begun(id);
    const alarm = () => runInDurableObject(upload, (_, { storage }) => storage.getAlarm());
    await runInDurableObject(upload, (_, { storage }) => storage.setAlarm(Date.now() + 1000));
    await upload.touch();
    expect(Math.round(((await alarm()) ?? 0) - Date.now()) / 1000).toBeGreaterThan(500);
  });

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['before R2 completed', async () => undefined],
    [
      'after R2 completed, its answer lost',
      async (id) => {
        const [parts, stored] = await runInDurableObject(env.UPLOAD.getByName(id), (_, { storage }) => {
          const store = new UploadStore(storage);
          return [store.parts(), store.load()];
        });
        return env.INPUT.resumeMultipartUpload(`${id}/source`, stored?.upload_id ?? '').complete(parts);
      },
    ],
  ])('that crashed in its last phase, %s, becomes a job by the alarm', async (_, before) => {
    const id = crypto.randomUUID();
    const upload = await begun(id);
    await before(id);
    await describeIt(upload, description);
    await evictDurableObject(upload);
    expect(await runDurableObjectAlarm(upload)).toBe(true);
    expect(await job(id)).toMatchObject({ key: 'clip', status: 'pending' });
    expect(await (await env.INPUT.get(`${id}/source`))?.text()).toBe('the bytes of a source');
  });
});
