/** Requests that bring pieces of an upload: what counts of them, and who has the upload when there are several. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import type { Env } from '../../src/durable/env.ts';
import { UploadStore } from '../../src/durable/upload/store.ts';
import { Upload } from '../../src/durable/upload/upload.ts';
import { env, job } from './edge.ts';
import { bytes, checksum, created, digest, head, offsetOf, PART, patch, stored } from './tus.ts';
import { hanging, inStore, rows } from './upload-object.ts';

describe('a request that hangs', () => {
  test('loses the upload to the next PATCH at once, and what it had brought counts', async () => {
    const id = await created(2000);
    const { answer } = await hanging(id, 0);
    const begun = Date.now();
    expect((await patch(id, 0, bytes(0, 2000))).status).toBe(409);
    const offset = await inStore(id, (store) => store.offset);
    expect(offset).toBeGreaterThan(0);
    expect((await patch(id, offset, bytes(offset, 2000))).status).toBe(204);
    expect(Date.now() - begun).toBeLessThan(3000);
    expect((await answer).status).toBe(409);
    expect(await stored(id)).toBe(await digest(bytes(0, 2000)));
  });

  test('loses it to HEAD too, which says where to go on', async () => {
    const id = await created(2000);
    const { answer } = await hanging(id, 0);
    const begun = Date.now();
    const offset = await offsetOf(id);
    expect(Date.now() - begun).toBeLessThan(3000);
    expect(offset).toBe(await inStore(id, (store) => store.offset));
    expect((await answer).status).toBe(409);
    expect((await patch(id, offset, bytes(offset, 2000))).status).toBe(204);
    expect(await stored(id)).toBe(await digest(bytes(0, 2000)));
  });

  test('with a checksum loses it too, and none of its bytes counts', async () => {
    const id = await created(20);
    const open = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(bytes(0, 7)) });
    const first = patch(id, 0, open, await checksum('sha1', bytes(0, 9)));
    expect(await offsetOf(id)).toBe(0);
    expect((await patch(id, 0, bytes(0, 20))).status).toBe(204);
    expect((await first).status).toBe(409);
    expect(await stored(id)).toBe(await digest(bytes(0, 20)));
  });

  test.each([
    ['HEAD', 409, (id: string) => head(id)],
    ['the alarm', 204, (id: string) => runDurableObjectAlarm(env.UPLOAD.getByName(id))],
  ])('after the last byte is not needed any more: %s ends the upload', async (_, status, ask) => {
    const id = await created(PART);
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const first = patch(id, 0, readable);
    await writer.write(bytes(0, PART));
    await expect.poll(() => inStore(id, (store) => store.offset)).toBe(PART);
    expect(await stored(id)).toBe('nothing');
    await ask(id);
    await expect.poll(() => stored(id)).toBe(await digest(bytes(0, PART)));
    await writer.close().catch(() => {});
    expect((await first).status).toBe(status);
    expect(await offsetOf(id)).toBe(PART);
  });

  test('in storage keeps nobody waiting, its part counts, and its number is not used before it is settled', async () => {
    const id = await created(PART + 10);
    const storage = slowStorage();
    await withStorage(id, storage, async (object, state) => {
      const first = object.append(null, piece(0, PART + 3), body(0, PART + 3));
      await expect.poll(() => storage.sent).toEqual([1]);

      const begun = Date.now();
      expect(await object.head(null)).toMatchObject({ ok: true, value: { offset: PART } });
      expect(await first).toMatchObject({ ok: false, code: 'offset_conflict' });
      expect(await object.append(null, piece(PART, 10), body(PART, PART + 10))).toMatchObject({ code: 'upload_busy' });
      expect(Date.now() - begun).toBeLessThan(3000);
      expect(storage.sent).toEqual([1]);

      storage.letGo();
      await expect.poll(() => new UploadStore(state.storage).parts().length).toBe(1);
      const last = await object.append(null, piece(PART, 10), body(PART, PART + 10));
      expect(last).toMatchObject({ ok: true, value: { offset: PART + 10 } });
      expect(storage.sent).toEqual([1, 2]);
    });
    expect(await stored(id)).toBe(await digest(bytes(0, PART + 10)));
  });

  test('in storage with the last part: it is stored once', async () => {
    const id = await created(PART);
    const storage = slowStorage();
    await withStorage(id, storage, async (object) => {
      const first = object.append(null, piece(0, PART), body(0, PART));
      await expect.poll(() => storage.sent).toEqual([1]);
      expect(await object.head(null)).toMatchObject({ ok: true, value: { offset: PART } });
      expect(await first).toMatchObject({ ok: false, code: 'offset_conflict' });
      storage.letGo();
      await expect.poll(() => stored(id)).toBe(await digest(bytes(0, PART)));
      expect(storage.sent).toEqual([1]);
    });
  });
});

/** A bucket whose first part stays on its way until it is let go. */
function slowStorage() {
  const sent: number[] = [];
  const { promise: released, resolve: letGo } = Promise.withResolvers<void>();
  const slow = (multipart: R2MultipartUpload) => ({
    uploadId: multipart.uploadId,
    abort: () => multipart.abort(),
    complete: (parts: R2UploadedPart[]) => multipart.complete(parts),
    uploadPart: async (n: number, part: Uint8Array) => {
      sent.push(n);
      if (sent.length === 1) await released;
      return multipart.uploadPart(n, part);
    },
  });
  const INPUT = {
    createMultipartUpload: async (key: string) => slow(await env.INPUT.createMultipartUpload(key)),
    resumeMultipartUpload: (key: string, name: string) => slow(env.INPUT.resumeMultipartUpload(key, name)),
    head: (key: string) => env.INPUT.head(key),
  };
  return { sent, letGo, INPUT };
}

const withStorage = (
  id: string,
  { INPUT }: ReturnType<typeof slowStorage>,
  act: (object: Upload, state: DurableObjectState) => Promise<void>,
): Promise<void> =>
  runInDurableObject(env.UPLOAD.getByName(id), (_, state) =>
    act(new Upload(state, { ...env, INPUT } as unknown as Env), state),
  );

const piece = (offset: number, size: number) => ({ offset, size, length: null, checksum: null });
const body = (from: number, to: number) => new Response(bytes(from, to)).body;

describe('concurrent writers', () => {
  test('of the same bytes: one has the upload, the others are told, and the file is right', async () => {
    const id = await created(2 * PART);
    const answers = await Promise.all(Array.from({ length: 5 }, () => patch(id, 0, bytes(0, 2 * PART))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 204 && status !== 409)).toEqual([]);
    const offset = await offsetOf(id);
    if (offset < 2 * PART) expect((await patch(id, offset, bytes(offset, 2 * PART))).status).toBe(204);
    expect(await stored(id)).toBe(await digest(bytes(0, 2 * PART)));
    expect((await job(id)).latest_events.map(({ message }) => message).at(-1)).toBe('Waiting for a transcoder');
  });
});

describe('bytes of less than a part', () => {
  test('are kept in rows of at most 1 MiB, few even if they come one by one, and survive a crash', async () => {
    const id = await created(PART);
    for (let at = 0; at < 50; at++) await patch(id, at, bytes(at, at + 1));
    expect(await rows(id)).toEqual([50]);
    await patch(id, 50, bytes(50, 3_000_000));
    expect(await rows(id)).toEqual([50, 2 ** 20, 2 ** 20, 3_000_000 - 50 - 2 * 2 ** 20]);
    await evictDurableObject(env.UPLOAD.getByName(id));
    expect(await offsetOf(id)).toBe(3_000_000);
    await patch(id, 3_000_000, bytes(3_000_000, PART));
    expect(await stored(id)).toBe(await digest(bytes(0, PART)));
  });
});
