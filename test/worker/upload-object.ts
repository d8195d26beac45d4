/** The object of an upload, looked into: what it has stored, and a request that does not end. */
import { runInDurableObject } from 'cloudflare:test';
import { expect } from 'vitest';
import { UploadStore } from '../../src/durable/upload/store.ts';
import type { ResumableUpload } from '../../src/durable/upload/stored.ts';
import { env } from './edge.ts';
import { bytes, patch } from './tus.ts';

/** A request that brings a byte at a time and never ends; at least one of them is stored when this resolves. */
export async function hanging(id: string, from: number): Promise<{ answer: Promise<Response> }> {
  let at = from;
  let send = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = () => controller.enqueue(bytes(at, ++at));
    },
  });
  const answer = patch(id, from, body);
  const stored = async () => {
    send();
    return inStore(id, (store) => store.offset);
  };
  await expect.poll(stored, { timeout: 10_000 }).toBeGreaterThan(from);
  return { answer };
}

export const inStore = <T>(id: string, look: (store: UploadStore) => T): Promise<T> =>
  runInDurableObject(env.UPLOAD.getByName(id), (_, { storage }) => look(new UploadStore(storage)));

export const upload = (id: string): Promise<ResumableUpload> =>
  inStore(id, (store) => {
    const found = store.load();
    if (found?.via !== 'pieces') throw new Error('There is no upload');
    return found;
  });

export const rows = (id: string): Promise<number[]> =>
  runInDurableObject(env.UPLOAD.getByName(id), (_, { storage }) =>
    storage.sql
      .exec<{ size: number }>('SELECT length(bytes) AS size FROM tail ORDER BY n')
      .toArray()
      .map(({ size }) => size),
  );

/** Whether R2 would still take parts of it. */
export async function isOpenInR2(id: string, upload_id: string | null): Promise<boolean> {
  try {
    await env.INPUT.resumeMultipartUpload(`${id}/source`, upload_id ?? '').uploadPart(9999, 'x');
    return true;
  } catch (error) {
    if (!String(error).includes('(10024)')) throw error;
    return false;
  }
}
