/**
 * Uploads through a network that cuts connections at random bytes of requests and answers, with the page reloaded in
 * between: with tus-js-client, Uppy and the SDK in a real Chromium, and with tus-js-client in Node. What is stored is
 * the file, and nothing but files is stored.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { DefaultHttpStack, type HttpRequest, Upload } from 'tus-js-client';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { Reelwire } from '../../client/index.ts';
import { CuttingProxy, randomFrom } from '../e2e/cutting-proxy.ts';
import { System } from '../e2e/system.ts';
import { multipartEtag } from '../e2e/tus-upload.ts';
import { openChromium } from './chromium.ts';
import type { Client } from './uploading/main.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const MB = 1_000_000;
const CUTS = 4;
const RELOADS = 2;
/** How much of a file is sent before the page is reloaded for the last time. */
const MOST = 0.7;
/** A request without its body, or an answer, is a little shorter. */
const HEAD_BYTES = 700;
const CHUNKS = 5;

type Way = Client | 'tus-js-client in Node';
const WAYS: Way[] = ['tus-js-client', 'Uppy', 'SDK', 'tus-js-client in Node'];

const seed = Number(process.env.CUT_SEED ?? randomInt(2 ** 32));

/** From 1 byte to 200 MB, as many small ones as large ones. */
function* manySizes(): Generator<[number, Way]> {
  for (let i = 0; i < 50; i++) yield [Math.round((200 * MB) ** (i / 49)), WAYS[i % WAYS.length] ?? 'SDK'];
}

const UPLOADS: [number, Way][] = LONG
  ? [...manySizes()]
  : [
      [1, 'tus-js-client'],
      [1000, 'Uppy'],
      [12 * MB, 'SDK'],
      [20 * MB, 'tus-js-client'],
      [9 * MB, 'Uppy'],
      [8 * MB, 'tus-js-client in Node'],
    ];
const LARGEST = Math.max(...UPLOADS.map(([size]) => size));
const BYTES = randomBytes(LARGEST + UPLOADS.length);
const expected: string[] = [];

let folder: string;
let system: System;
let pages: PreviewServer;
let chromium: Browser;
let page: Page;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelwire-uploading-'));
  const root = join(import.meta.dirname, 'uploading');
  const settings = { root, configFile: false, logLevel: 'error', build: { outDir: join(folder, 'page') } } as const;
  [system, chromium] = await Promise.all([System.start(), openChromium(), build(settings)]);
  [pages, page] = await Promise.all([
    preview({ ...settings, preview: { port: 0, host: '127.0.0.1' } }),
    chromium.newPage(),
  ]);
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([pages.close(), system.stop()]);
  await rm(folder, { recursive: true, force: true });
});

async function inChromium(client: Client, path: string, edge: string, chunkBytes: number, leaveAt: number) {
  await page.goto(pages.resolvedUrls?.local[0] ?? '');
  await page.setInputFiles('input', path);
  await page.evaluate((args) => window.upload(...args), [client, edge, chunkBytes, leaveAt] as const);
}

/**
 * Of an answer whose end is cut off, tus-js-client would wait for the rest for ever: here that is an error as others.
 */
class UnlessCut extends DefaultHttpStack {
  override createRequest(method: string, url: string): HttpRequest {
    const request = super.createRequest(method, url);
    const send = request.send.bind(request);
    request.send = (body: unknown) => {
      const answer = send(body);
      const closed = once(request.getUnderlyingObject(), 'close').then(() => {
        throw new Error('The connection is gone');
      });
      return Promise.race([answer, closed]);
    };
    return request;
  }
}

/** Sends, as a program does that is started again and again: each begins where HEAD says. */
async function inNode(uploadUrl: string | null, path: string, edge: string, chunkSize: number, leaveAt: number) {
  return new Promise<string | null>((resolve, reject) => {
    const upload = new Upload(createReadStream(path), {
      ...{ endpoint: `${edge}/uploads`, uploadUrl, chunkSize, retryDelays: Array.from({ length: 20 }, () => 10) },
      httpStack: new UnlessCut({}),
      onProgress: (sent) => {
        if (sent < leaveAt) return;
        void upload.abort();
        resolve(upload.url);
      },
      onSuccess: () => resolve(upload.url),
      onError: reject,
    });
    upload.start();
  });
}

const LIMIT_MS = LONG ? 120_000 : 60_000;

test.each(UPLOADS.map(([size, way], i) => [i, size, way] as const))(
  'upload %i: %i bytes with %s',
  { timeout: LIMIT_MS },
  async (i, size, way) => {
    const bytes = BYTES.subarray(i, i + size);
    const path = join(folder, `clip ${i}.mp4`);
    await writeFile(path, bytes);
    expected.push(multipartEtag(bytes));
    const chunkBytes = Math.ceil(size / CHUNKS);
    const cutting = { seed: seed + i, cuts: CUTS, within: HEAD_BYTES, withinRequests: HEAD_BYTES + chunkBytes };
    const proxy = await CuttingProxy.start(system.url, cutting);
    try {
      let url: string | null = null;
      const random = randomFrom(seed - i);
      const leaves = Array.from({ length: RELOADS }, () => random() * MOST * size).sort((a, b) => a - b);
      for (const leaveAt of [...leaves, Number.POSITIVE_INFINITY]) {
        if (way === 'tus-js-client in Node') url = await inNode(url, path, proxy.url, chunkBytes, leaveAt);
        else await inChromium(way, path, proxy.url, chunkBytes, leaveAt);
      }
      expect(proxy.cuts).toBeGreaterThan(0);
    } catch (error) {
      throw new Error(`CUT_SEED=${seed} cuts at the same bytes again`, { cause: error });
    } finally {
      await proxy.close();
      await rm(path);
    }
  },
);

const Row = z.object({ data: z.string().transform((text): unknown => JSON.parse(text)) });
const Kept = z.object({ phase: z.string(), upload_id: z.string().nullable() });

test('every source is one of the files, each file is there, and nothing else is kept of any upload', async () => {
  const { INPUT } = await system.bindings();
  const { objects } = await INPUT.list();
  const etags = await Promise.all(objects.map(async ({ key }) => (await INPUT.head(key))?.etag));
  expect([...new Set(etags)].sort()).toEqual([...new Set(expected)].sort());

  const { jobs } = await new Reelwire({ url: system.url }).jobs.list({ limit: 100 });
  const sources = new Set(objects.map(({ key }) => key));
  expect(jobs.length).toBeGreaterThanOrEqual(UPLOADS.length);
  for (const { id } of jobs) {
    const storage = await system.worker.getDurableObjectStorage('UPLOAD', { name: id });
    const [row] = await storage.exec('SELECT data FROM upload');
    const { phase, upload_id } = Kept.parse(Row.parse(row).data);
    const rows = await storage.exec('SELECT n FROM parts UNION ALL SELECT n FROM tail');
    const isEmpty = phase === 'open' && upload_id === null && !sources.has(`${id}/source`);
    const isDone = phase === 'done' && sources.delete(`${id}/source`);
    expect([isDone || isEmpty, rows]).toEqual([true, []]);
  }
  expect([...sources]).toEqual([]);
});
