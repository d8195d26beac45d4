/**
 * Uploads in pieces against the real edge: whatever way the bytes come, what is stored is the file, in parts of 8 MiB;
 * a broken connection costs what was on its way, a killed edge nothing that was acknowledged.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from '../../tools/until.ts';
import { randomFrom } from './cutting-proxy.ts';
import { System } from './system.ts';
import { multipartEtag, PART, TusUpload } from './tus-upload.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const KILLS = LONG ? 200 : 6;
const CUTS = LONG ? 100 : 5;

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());

const FILE = randomBytes((LONG ? 10 : 2) * PART + 77);

async function etag(id: string): Promise<string | null> {
  const { INPUT } = await system.bindings();
  return (await INPUT.head(`${id}/source`))?.etag ?? null;
}

type Way = 'one PATCH' | 'many' | 'deferred length';

async function send(file: Uint8Array, way: Way): Promise<TusUpload> {
  const upload = await TusUpload.create(system.url, way === 'deferred length' ? null : file.length);
  const step = way === 'one PATCH' ? file.length : Math.ceil(file.length / 7);
  for (let at = 0; at < file.length; at += step) {
    const { status } = await upload.patch(at, file.subarray(at, at + step));
    expect(status).toBe(204);
  }
  if (way === 'deferred length') {
    expect(await etag(upload.id)).toBeNull();
    await upload.patch(file.length, new Uint8Array(), { 'Upload-Length': String(file.length) });
  }
  return upload;
}

describe('around the size of a part', () => {
  const sizes = [1, PART - 1, PART, PART + 1, 2 * PART + 1, ...(LONG ? [10 * PART + 1] : [])];
  const ways: Way[] = ['one PATCH', 'many', 'deferred length'];
  const cases = sizes.flatMap((size) => ways.map((way): [number, Way] => [size, way]));
  /** Each size in one way, each way with a size that fills a part. */
  const isOne = ([size, way]: [number, Way]) =>
    way === (size === PART + 1 ? 'many' : size === PART ? 'deferred length' : 'one PATCH');

  test.each(cases.filter((one) => LONG || isOne(one)))('%i bytes (%s) are stored as they are', async (size, way) => {
    const file = FILE.subarray(0, size);
    const upload = await send(file, way);
    expect(await upload.offset()).toBe(size);
    expect(await etag(upload.id)).toBe(multipartEtag(file));
    expect(await system.job(upload.id)).toMatchObject({ status: 'pending', stage: 'uploading', progress: 10 });
  });

  test('0 bytes are refused, as by POST /process', async () => {
    await expect(TusUpload.create(system.url, 0)).rejects.toThrow('400');
    const upload = await TusUpload.create(system.url, null);
    expect((await upload.patch(0, new Uint8Array(), { 'Upload-Length': '0' })).status).toBe(400);
  });
});

test('connections that break at random bytes: what arrived counts, and the file is stored as it is', async () => {
  const random = randomFrom(7);
  const file = FILE.subarray(0, 2 * PART + 5);
  const finish = async (upload: TusUpload): Promise<void> => {
    const offset = await upload.offset();
    expect((await upload.patch(offset, file.subarray(offset))).status).toBe(204);
    expect(await etag(upload.id)).toBe(multipartEtag(file));
  };
  let upload = await TusUpload.create(system.url, file.length);
  let gained = 0;
  for (let i = 0; i < CUTS; i++) {
    const before = await upload.offset();
    const rest = file.subarray(before);
    const at = 1 + Math.floor(random() * Math.min(rest.length - 1, 3_000_000));
    const reset = random() < 0.5;
    await upload.cut(before, rest, at, (open) => (reset ? open.socket?.resetAndDestroy() : open.socket?.end()));
    const after = await upload.offset();
    expect(after).toBeGreaterThanOrEqual(before);
    expect(after).toBeLessThanOrEqual(before + at);
    if (after > before) gained += 1;
    if (after < file.length - 1000) continue;
    await finish(upload);
    upload = await TusUpload.create(system.url, file.length);
  }
  expect(gained).toBeGreaterThan(CUTS / 4);
  await finish(upload);
});

test('the edge killed at any moment: HEAD claims no byte that is not there, and forgets none it acknowledged', async () => {
  const random = randomFrom(11);
  const file = FILE.subarray(0, 2 * PART + 77);
  const expected = multipartEtag(file);
  let finished = 0;
  let upload = await TusUpload.create(system.url, file.length);
  for (let i = 0; i < KILLS; i++) {
    const offset = await upload.offset();
    const isEnd = i % 3 === 2;
    const size = isEnd ? file.length - offset : 1 + Math.floor(random() * Math.min(file.length - offset, 1.2 * PART));
    const at = isEnd ? size : Math.ceil(random() * size);
    await upload.cut(offset, file.subarray(offset, offset + size), at, async () => {
      await pause(random() * (isEnd ? 150 : 20));
      await system.restart();
    });
    const { acknowledged, sent } = upload;
    const now = await upload.offset();
    expect(now).toBeGreaterThanOrEqual(acknowledged);
    expect(now).toBeLessThanOrEqual(sent);
    if (now < file.length && (i % 3 !== 2 || (await upload.patch(now, file.subarray(now))).status !== 204)) continue;
    await expect.poll(() => etag(upload.id), { timeout: 20_000, interval: 100 }).toBe(expected);
    await expect.poll(async () => (await system.job(upload.id)).progress, { timeout: 20_000 }).toBe(10);
    finished += 1;
    upload = await TusUpload.create(system.url, file.length);
  }
  expect(finished).toBeGreaterThanOrEqual(Math.floor(KILLS / 4));
}, 600_000);
