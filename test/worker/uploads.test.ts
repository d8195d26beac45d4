/** The job of an upload in pieces, from its first byte to its source, and how it ends without one. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { UploadStore } from '../../src/durable/upload/store.ts';
import { timer, withBindings } from './clock.ts';
import { call, env, job, keys, post, problemOf } from './edge.ts';
import { EventReader } from './events.ts';
import { bytes, created, digest, head, offsetOf, PART, patch, stored } from './tus.ts';
import { hanging, inStore, isOpenInR2, rows, upload } from './upload-object.ts';

describe('the job of an upload', () => {
  test('can be watched from its creation on: bytes, then the queue, each once and in order', async () => {
    const id = await created(4 * 2 ** 20);
    const reader = new EventReader(await call(`/jobs/${id}/stream`, { headers: { 'Last-Event-ID': '0' } }));
    await reader.until(({ event }) => event === 'progress');
    await patch(id, 0, bytes(0, 2 ** 21));
    // A progress a second: the first one after the creation's own.
    const told = async () => {
      await head(id);
      return (await job(id)).latest_events.some(({ message }) => message === 'Uploading: 50 %');
    };
    await expect.poll(told, { timeout: 5000, interval: 200 }).toBe(true);
    await patch(id, 2 ** 21, bytes(2 ** 21, 4 * 2 ** 20));
    const rest = await reader.until(({ data }) => data.message === 'Waiting for a transcoder');
    await reader.cancel();
    expect(rest.map(({ data }) => [data.stage, data.progress, data.message])).toEqual([
      ['uploading', 7, 'Uploading: 50 %'],
      ['uploading', 10, 'Waiting for a transcoder'],
    ]);
    expect(rest[0]?.data.details).toEqual({ bytes_received: 2 ** 21, bytes_total: 2 ** 22 });
  });

  test('is not leased, and rings in no queue, before the source is whole', async () => {
    const id = await created(3);
    const request = { task: 'main', transcoder: 'box', request_id: 'r1' };
    expect(await problemOf(await post(`/internal/jobs/${id}/lease`, request))).toMatchObject({ code: 'lease_refused' });
    expect(await timer(id, 'doorbell')).toBeUndefined();
    await patch(id, 0, 'abc');
    expect((await post(`/internal/jobs/${id}/lease`, request)).status).toBe(200);
  });

  test('cancelled while bytes come, ends the request, frees R2, and cannot be tried again', async () => {
    const id = await created(2 * PART);
    await patch(id, 0, bytes(0, PART + 1));
    const { upload_id } = await upload(id);
    expect(await isOpenInR2(id, upload_id)).toBe(true);
    const { answer } = await hanging(id, PART + 1);
    expect((await call(`/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(202);
    expect([(await answer).status, (await head(id)).status]).toEqual([410, 410]);
    await expect.poll(() => isOpenInR2(id, upload_id)).toBe(false);
    expect(await rows(id)).toEqual([]);
    expect(await problemOf(await patch(id, PART + 9, 'x'))).toMatchObject({ status: 410, code: 'upload_gone' });
    expect(await problemOf(await call(`/jobs/${id}/retry`, { method: 'POST' }))).toMatchObject({
      status: 409,
      code: 'no_source',
    });
    expect((await job(id)).status).toBe('cancelled');
  });

  test('that ended before the upload was opened leaves no upload open', async () => {
    const id = crypto.randomUUID();
    const object = env.UPLOAD.getByName(id);
    await object.close(id, 1);
    await object.open({ job_id: id, owner: null, length: 3, max_bytes: 3, content_type: 'video/mp4', metadata: null });
    expect((await head(id)).status).toBe(410);
  });

  test('tells its upload when it ends, and is asked by one that it could not tell', async () => {
    const [told, untold] = [await created(10), await created(10)];
    const away = { close: () => Promise.reject(new Error('the upload object is away')) };
    await withBindings(untold, { UPLOAD: { getByName: () => away } });
    for (const id of [told, untold]) await call(`/jobs/${id}/cancel`, { method: 'POST' });
    await expect.poll(async () => (await upload(told)).phase).toBe('closed');
    expect((await upload(untold)).phase).toBe('open');
    await runDurableObjectAlarm(env.UPLOAD.getByName(untold));
    expect((await upload(untold)).phase).toBe('closed');
    const wanted = await created(10);
    await runDurableObjectAlarm(env.UPLOAD.getByName(wanted));
    expect(await offsetOf(wanted)).toBe(0);
  });

  test('of POST /process is no upload', async () => {
    const headers = { 'Content-Type': 'video/mp4' };
    const { job_id } = await (await call('/process', { method: 'POST', body: 'x', headers })).json<{
      job_id: string;
    }>();
    expect((await head(job_id)).status).toBe(404);
  });
});

describe('the end', () => {
  /** As a crash leaves it: all bytes are here, and that is all. */
  const crashed = async (): Promise<string> => {
    const id = await created(PART + 5);
    await patch(id, 0, bytes(0, PART + 4));
    await runInDurableObject(env.UPLOAD.getByName(id), async (_, { storage }) => {
      const store = new UploadStore(storage);
      const found = store.load();
      if (found?.via !== 'pieces') throw new Error('There is no upload');
      store.appendTail(bytes(PART + 4, PART + 5));
      store.save({ ...found, phase: 'whole' });
      await storage.setAlarm(Date.now() + 3_600_000);
    });
    return id;
  };

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['before the last part was stored', async () => undefined],
    [
      'after R2 had put the parts together',
      async (id) => {
        const { upload_id } = await upload(id);
        const multipart = env.INPUT.resumeMultipartUpload(`${id}/source`, upload_id ?? '');
        const last = await multipart.uploadPart(2, bytes(PART, PART + 5));
        const parts = await inStore(id, (store) => {
          store.addPart(last, 5);
          return store.parts();
        });
        await multipart.complete(parts);
      },
    ],
    ['after the job was told', (id) => env.JOB.getByName(id).received(PART + 5, 'video/mp4')],
  ])('that was cut off %s is reached by the alarm', async (_, before) => {
    const id = await crashed();
    await before(id);
    await evictDurableObject(env.UPLOAD.getByName(id));
    expect(await offsetOf(id)).toBe(PART + 5);
    expect(await runDurableObjectAlarm(env.UPLOAD.getByName(id))).toBe(true);
    expect(await stored(id)).toBe(await digest(bytes(0, PART + 5)));
    expect((await upload(id)).phase).toBe('done');
    const messages = (await job(id)).latest_events.map(({ message }) => message);
    expect(messages.filter((message) => message === 'Waiting for a transcoder')).toHaveLength(1);
  });

  test('that comes after the job was cancelled leaves no source', async () => {
    const id = await crashed();
    const away = { close: () => Promise.reject(new Error('the upload object is away')) };
    await withBindings(id, { UPLOAD: { getByName: () => away } });
    await call(`/jobs/${id}/cancel`, { method: 'POST' });
    expect((await upload(id)).phase).toBe('whole');
    await runDurableObjectAlarm(env.UPLOAD.getByName(id));
    expect([(await upload(id)).phase, await keys(env.INPUT, id)]).toEqual(['closed', []]);
    expect((await job(id)).status).toBe('cancelled');
  });

  test('of an upload whose parts R2 has lost is the end of its job, which says so', async () => {
    const id = await crashed();
    const { upload_id } = await upload(id);
    await inStore(id, (store) =>
      store.transaction(() => store.addPart({ partNumber: 2, etag: 'x' } as R2UploadedPart, 1)),
    );
    await env.INPUT.resumeMultipartUpload(`${id}/source`, upload_id ?? '').abort();
    await runDurableObjectAlarm(env.UPLOAD.getByName(id));
    expect(await job(id)).toMatchObject({ status: 'failed', error: { code: 'upload_expired' } });
    expect((await head(id)).status).toBe(410);
  });

  test('leaves a note for a day, so that a client that missed the answer is told', async () => {
    const id = await created(3);
    await patch(id, 0, 'abc');
    expect(await offsetOf(id)).toBe(3);
    expect(await runDurableObjectAlarm(env.UPLOAD.getByName(id))).toBe(true);
    expect((await head(id)).status).toBe(404);
    expect((await job(id)).status).toBe('pending');
  });
});
