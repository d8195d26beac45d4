/**
 * Uploads with the SDK in Node, against the real edge: whatever stops one, the same call goes on where it was and makes
 * no second job, and what is stored is the file.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  ApiError,
  type Fetch,
  fileUploadStore,
  Reelwire,
  UploadError,
  type UploadOptions,
} from '../../client/index.ts';
import { System } from '../e2e/system.ts';
import { multipartEtag } from '../e2e/tus-upload.ts';
import { answer, problem } from './faulty.ts';
import { failure, faulty, impatient, JOB } from './watching.ts';

const CHUNK = 2 ** 18;
const BYTES = randomBytes(9 * CHUNK + 1);
const video = (name = 'a.mp4', lastModified = 1) => new File([BYTES], name, { type: 'video/mp4', lastModified });

let system: System;
let client: Reelwire;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelwire-uploads-'));
  system = await System.start();
  client = new Reelwire({ url: system.url });
});
afterAll(async () => {
  await system.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  vi.useRealTimers();
});

async function isStored(id: string): Promise<void> {
  const { INPUT } = await system.bindings();
  expect((await INPUT.head(`${id}/source`))?.etag).toBe(multipartEtag(BYTES));
  expect(await system.job(id)).toMatchObject({ status: 'pending', progress: 10 });
}

const jobsOf = async (key: string) => (await client.jobs.list({ q: key })).jobs.map(({ id }) => id);

/** Uploads until more than `bytes` are on their way, then stops; answers the job. */
async function stopped(file: Blob, bytes: number): Promise<string> {
  const stop = new AbortController();
  const created = Promise.withResolvers<string>();
  const uploading = client.upload(file, {
    chunkBytes: CHUNK,
    signal: stop.signal,
    onCreated: created.resolve,
    onProgress: ({ sent }) => sent > bytes && stop.abort(new Error('Enough')),
  });
  expect(await failure(uploading)).toMatchObject({ message: 'Enough' });
  return created.promise;
}

test('a file is a job that can be watched before it is whole, with what was said of it', async () => {
  const seen: (string | number)[] = [];
  const early = Promise.withResolvers<string>();
  const uploaded = await client.upload(video('Tag "am" Meer.mp4'), {
    options: { quality: 'high', ladder: [360] },
    metadata: { owner: 'zoë' },
    chunkBytes: 4 * CHUNK,
    onCreated: (id) => {
      seen.push(id);
      early.resolve(system.job(id).then(({ stage, progress }) => `${stage} ${progress >= 5}`));
    },
    onProgress: ({ sent, total }) => seen.push(sent / total),
  });
  const { job_id } = uploaded;
  const address = `${system.url}/jobs/${job_id}`;
  expect(uploaded).toEqual({ job_id, status_url: address, stream_url: `${address}/stream` });
  expect(await early.promise).toBe('uploading true');
  expect([seen[0], seen.at(-1), seen.filter((one) => one === job_id).length]).toEqual([job_id, 1, 1]);
  await isStored(job_id);
  const said = { key: 'Tag "am" Meer.mp4', options: { quality: 'high', ladder: [360] }, metadata: { owner: 'zoë' } };
  expect(await system.job(job_id)).toMatchObject(said);
});

test('stopped by its signal and called again, it goes on where it was; another description is another upload', async () => {
  const job = await stopped(video(), 5 * CHUNK);
  const [seen, created]: [number[], string[]] = [[], []];
  const again = {
    onProgress: ({ sent }: { sent: number }) => seen.push(sent),
    onCreated: (id: string) => created.push(id),
  };
  expect((await client.upload(video(), { key: 'other', ...again })).job_id).not.toBe(job);
  expect(seen.splice(0)[0]).toBe(0);
  expect((await client.upload(video(), again)).job_id).toBe(job);
  expect(seen[0]).toBeGreaterThanOrEqual(4 * CHUNK);
  expect(created).toEqual([expect.any(String), job]);
  await isStored(job);
  expect((await client.upload(video())).job_id).not.toBe(job);
});

test.each<[string, unknown, object]>([
  ['the file', BYTES, {}],
  ['chunkBytes', video(), { chunkBytes: 0 }],
  ['resume', video(), { resume: 'a.json' }],
  ['no option chunksize', video(), { chunksize: 1 }],
])('a mistake shows where it was made: %s', async (what, file, options) => {
  const error = await failure(client.upload(file as Blob, options));
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: expect.stringContaining(what) });
});

test('one that is stopped before it begins sends nothing', async () => {
  const { client, waits } = impatient({ url: 'http://localhost:9', maxAttempts: 1 });
  expect(await failure(client.upload(video(), { signal: AbortSignal.abort(new Error('No')) }))).toMatchObject({
    message: 'No',
  });
  expect(waits).toEqual([]);
});

test('a process that is killed and started again goes on, by the file of its uploads', async () => {
  const [path, store] = [join(folder, 'a.mp4'), join(folder, 'new/uploads.json')];
  await writeFile(path, BYTES);
  const once = async (...more: string[]) => {
    const args = [join(import.meta.dirname, 'upload-once.ts'), system.url, path, store, ...more];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    return (await text(child.stdout)).trim().split('\n');
  };
  const [job = '', ...none] = await once(String(5 * CHUNK));
  expect(none).toEqual([]);
  const [again, end = ''] = await once();
  expect(again).toBe(job);
  expect(JSON.parse(end)).toMatchObject({ job_id: job, first: expect.toSatisfy((sent) => sent >= 4 * CHUNK) });
  await isStored(job);
  expect(JSON.parse(await readFile(store, 'utf8'))).toEqual({});
});

test('a lost answer makes no second job, neither by itself nor with the next call', async () => {
  let lost = 0;
  const stop = new AbortController();
  const fetch: Fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init);
    if (init.method !== 'POST' || lost === 2) return response;
    lost += 1;
    if (lost === 2) stop.abort(new Error('Enough'));
    throw new TypeError('The connection is gone');
  };
  const { client: unlucky } = impatient({ url: system.url, fetch });
  expect(await failure(unlucky.upload(video('lost-answer'), { signal: stop.signal }))).toMatchObject({
    message: 'Enough',
  });
  const { job_id } = await unlucky.upload(video('lost-answer'));
  await isStored(job_id);
  await expect.poll(() => jobsOf('lost-answer')).toEqual([job_id]);
});

test('the token goes with every request, and a new one after 401', async () => {
  let current = 0;
  const refused: string[] = [];
  const fetch: Fetch = async (url, init) => {
    const isCurrent = new Headers(init.headers).get('Authorization') === `Bearer ${current}`;
    if (!isCurrent) return Response.json({ code: 'unauthorized' }, { status: 401 });
    if (Number(new Headers(init.headers).get('Upload-Offset')) >= 4 * CHUNK && refused.length === 0) {
      refused.push(String(init.method));
      return Response.json({ code: 'unauthorized' }, { status: 401 });
    }
    return globalThis.fetch(url, init);
  };
  const tokens = (next: () => string) => new Reelwire({ url: system.url, fetch, getToken: next, maxAttempts: 0 });
  const { job_id } = await tokens(() => String(current)).upload(video(), { chunkBytes: CHUNK });
  expect(refused).toEqual(['PATCH']);
  await isStored(job_id);
  current = 7;
  const stale = ['0', '7', '0', '7', '7'];
  await isStored((await tokens(() => stale.shift() ?? '7').upload(video('b.mp4'))).job_id);
  const never = await failure(tokens(() => 'wrong').upload(video()));
  expect(never).toMatchObject({ name: 'ApiError', status: 401, code: 'unauthorized' });
});

test.each<[string, () => Blob, UploadOptions, number, string]>([
  ['no bytes', () => new Blob([]), {}, 400, 'empty_file'],
  ['a wrong key', video, { key: 'a\u0000b' }, 400, 'invalid_field'],
  ['an address that is none', video, { webhookUrl: 'ftp://example.com' }, 400, 'invalid_url'],
])('what the server refuses is an ApiError with its code: %s', async (_, file, options, status, code) => {
  expect(await failure(client.upload(file(), options))).toMatchObject({ name: 'ApiError', status, code });
});

test('a job that ends while its file is sent ends the upload; one that has ended meanwhile is begun anew', async () => {
  const cancelled: Promise<unknown>[] = [];
  const onCreated = (id: string) => void cancelled.push(client.jobs.cancel(id));
  const refused = await failure(client.upload(video(), { chunkBytes: 16 * 1024, onCreated }));
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({
    status: 410,
    code: 'upload_gone',
    detail: expect.stringContaining('Begin a new one'),
  });
  await Promise.all(cancelled);

  const job = await stopped(video('gone'), 5 * CHUNK);
  await client.jobs.delete(job);
  const { job_id } = await client.upload(video('gone'));
  expect(job_id).not.toBe(job);
  await isStored(job_id);
});

test('it tries again later and later, from the beginning when bytes arrive, and gives up in the end', async () => {
  const created = answer(201, { 'Content-Type': 'application/json' }, JSON.stringify({ job_id: JOB }));
  const at = (offset: number) => answer(200, { 'Upload-Offset': String(offset), 'Upload-Length': '10' });
  const busy = problem(503, 'upload_busy');
  const server = await faulty(problem(429, 'rate_limited', { 'Retry-After': '9' }), busy, created, at(0), busy);
  server.add(at(0), busy, at(5), problem(409, 'offset_conflict'), at(5), problem(400, 'body_incomplete'));
  server.add(at(7), answer(409, {}, '{"co'), at(7), busy, at(7), busy);
  const { client, waits } = impatient({ url: server.url, maxAttempts: 2 });
  const error = await failure(client.upload(new Blob([new Uint8Array(10)])));
  expect(error).toBeInstanceOf(UploadError);
  expect(error).toMatchObject({ code: 'gave_up', cause: { code: 'upload_busy' } });
  const seconds = [9, 2, 1, 2, 1, 2, 1, 2];
  expect(waits.map((ms) => Math.floor(ms / 1000))).toEqual(seconds);
  expect(server.requests.map(({ method }) => method).join(' ')).toBe(`POST POST POST${' HEAD PATCH'.repeat(7)}`);
});

/** A server of one upload that does not answer the first request of one method until it is given up. */
function hangingOnce(method: string, answers: Record<string, () => Response>) {
  const hanging = Promise.withResolvers<void>();
  let hasHung = false;
  const fetch: Fetch = async (_, init) => {
    const name = String(init.method);
    if (hasHung || name !== method) return answers[name]?.() ?? new Response(null, { status: 405 });
    hasHung = true;
    return new Promise((_resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      hanging.resolve();
    });
  };
  return { ...impatient({ url: 'http://localhost:9', fetch }), hanging: hanging.promise };
}

test.each(['POST', 'PATCH'])('a %s on which nothing moves is given up after a minute', async (method) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { client, waits, hanging } = hangingOnce(method, {
    POST: () => Response.json({ job_id: JOB }),
    HEAD: () => new Response(null, { headers: { 'Upload-Offset': '0', 'Upload-Length': '10' } }),
    PATCH: () => new Response(null, { status: 204, headers: { 'Upload-Offset': '10' } }),
  });
  const uploading = client.upload(new Blob([new Uint8Array(10)]));
  await hanging;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await uploading).toMatchObject({ job_id: JOB });
  expect(waits.length).toBe(1);
});

test('the question why an upload is refused ends with the signal, and after a minute without words', async () => {
  const server = () =>
    hangingOnce('PATCH', {
      POST: () => Response.json({ job_id: JOB }),
      HEAD: () => new Response(null, { status: 410 }),
    });
  const stop = new AbortController();
  const stopped = server();
  const stopping = failure(stopped.client.upload(video(), { signal: stop.signal }));
  await stopped.hanging;
  stop.abort(new Error('Enough'));
  expect(await stopping).toMatchObject({ message: 'Enough' });

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const silent = server();
  const refused = failure(silent.client.upload(video()));
  await silent.hanging;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await refused).toMatchObject({ name: 'ApiError', status: 410, code: 'http_410' });
});

test('a file that has changed on the disk is said to be unreadable, not the network to be down', async () => {
  const path = join(folder, 'changing.mp4');
  await writeFile(path, BYTES);
  const file = await openAsBlob(path);
  await writeFile(path, 'something else');
  const { client, waits } = impatient({ url: system.url });
  const error = await failure(client.upload(file, { resume: null }));
  expect(error).toMatchObject({ name: 'UploadError', code: 'unreadable' });
  expect(waits).toEqual([]);
});

test('a file of uploads that cannot be read is an error, one with something else in it an empty one', async () => {
  expect(await failure(client.upload(video(), { resume: fileUploadStore(folder) }))).toMatchObject({ code: 'EISDIR' });
  const path = join(folder, 'odd.json');
  await writeFile(path, '[1, {"a": ');
  const store = fileUploadStore(path);
  await Promise.all([store.set('a', '1'), store.set('b', '2'), store.delete('a')]);
  expect(await Promise.all([store.get('a'), store.get('b')])).toEqual([null, '2']);
});
