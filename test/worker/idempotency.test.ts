/** `Idempotency-Key`: a request that is sent again makes no second job. */
import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Accepted } from '../../src/contract/api.ts';
import type { Env } from '../../src/durable/env.ts';
import type { NewJob } from '../../src/durable/job/job.ts';
import { app } from '../../src/worker/app.ts';
import { call, env, job, ORIGIN, problemOf } from './edge.ts';
import { BYTES, creation, idOf, metadata, offsetOf, patch, RESUMABLE } from './tus.ts';
import { provideInternet } from './webhooks-internet.ts';

provideInternet();

let keys = 0;
const newKey = (): string => `key-${++keys}`;

const process = (key: string, body: BodyInit = 'a video', query = ''): Promise<Response> =>
  call(`/process${query}`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': '7', 'Idempotency-Key': key },
  });

const accepted = async (answer: Response): Promise<string> => {
  expect(answer.status).toBe(202);
  return Accepted.parse(await answer.json()).job_id;
};

/** A body of 7 bytes that ends when it is told to. */
function held(): { body: ReadableStream<Uint8Array>; end: () => void } {
  let end = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(3));
      end = () => {
        controller.enqueue(new Uint8Array(4));
        controller.close();
      };
    },
  });
  return { body, end };
}

/** In open mode all callers are one. */
const objectOf = (path: string, key: string) => env.IDEMPOTENCY.getByName(`anyone ${path} ${key}`);

const isClaimed = (path: string, key: string): Promise<boolean> =>
  runInDurableObject(objectOf(path, key), async (_, { storage }) => (await storage.get('request')) !== undefined);

/** As if the edge had died long ago while the last request with this key was answered. */
const age = (path: string, key: string): Promise<void> =>
  runInDurableObject(objectOf(path, key), async (_, { storage }) => {
    const stored = z.looseObject({ seen_at: z.int() }).parse(await storage.get('request'));
    await storage.put('request', { ...stored, seen_at: stored.seen_at - 60_000 });
  });

/** As if the edge had died while it answered this key, long ago. */
const forsake = (path: string, key: string, job_id: string): Promise<void> =>
  runInDurableObject(objectOf(path, key), async (_, { storage }) => {
    await storage.put('request', { state: 'running', job_id, seen_at: Date.now() - 60_000 });
  });

describe('POST /process', () => {
  test('again gets the first answer, and makes no second job', async () => {
    const key = newKey();
    const first = await process(key);
    const again = await process(key, 'another');
    expect(again.headers.get('Content-Type')).toBe(first.headers.get('Content-Type'));
    expect(await accepted(again)).toBe(await accepted(first));
    expect(await accepted(await process(newKey()))).not.toBe(await accepted(await process(newKey())));
  });

  test('while the first one runs gets 409 in_progress, afterwards its answer', async () => {
    const key = newKey();
    const { body, end } = held();
    const first = process(key, body);
    await expect.poll(() => isClaimed('/process', key)).toBe(true);
    expect(await problemOf(await process(key))).toMatchObject({ status: 409, code: 'in_progress' });
    end();
    const id = await accepted(await first);
    expect(await accepted(await process(key))).toBe(id);
  });

  test('after a refusal is answered afresh', async () => {
    const key = newKey();
    expect(await problemOf(await process(key, 'a video', '?colour=red'))).toMatchObject({ code: 'unknown_field' });
    await accepted(await process(key));
  });

  test('after the edge died: the job that was made is the answer, and where none was, one is made', async () => {
    const [made, none] = [newKey(), newKey()];
    const id = await accepted(await process(newKey()));
    await forsake('/process', made, id);
    expect(await accepted(await process(made))).toBe(id);
    await forsake('/process', none, crypto.randomUUID());
    expect(await job(await accepted(await process(none)))).toMatchObject({ status: 'pending' });
    expect(await accepted(await process(none))).toBe(await accepted(await process(none)));
  });

  test('after the edge died twice: the job that was made before is still the answer', async () => {
    const key = newKey();
    const id = await accepted(await process(newKey()));
    await forsake('/process', key, id);
    for (let deaths = 0; deaths < 2; deaths++) {
      expect(await objectOf('/process', key).claim(crypto.randomUUID())).toMatchObject({ is: 'run' });
      expect(await problemOf(await process(key))).toMatchObject({ code: 'in_progress' });
      await age('/process', key);
    }
    expect(await accepted(await process(key))).toBe(id);
  });

  test('after a day is a new request', async () => {
    const key = newKey();
    const first = await accepted(await process(key));
    expect(await runDurableObjectAlarm(objectOf('/process', key))).toBe(true);
    expect(await accepted(await process(key))).not.toBe(first);
  });

  test.each(['', 'two words', 'x'.repeat(256), 'ümlaut'])('with the key %j is refused', async (key) => {
    expect(await problemOf(await process(key))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('a webhook_url', () => {
  const secrets = (path: string, key: string): Promise<boolean> =>
    runInDurableObject(objectOf(path, key), async (_, { storage }) =>
      JSON.stringify(await storage.get('request')).includes('whsec_'),
    );

  test.each([
    [
      '/process',
      async (key: string, url: string) => process(key, 'a video', `?${new URLSearchParams({ webhook_url: url })}`),
    ],
    [
      '/uploads',
      async (key: string, url: string) =>
        creation({ 'Upload-Length': '6', 'Idempotency-Key': key, ...metadata({ webhook_url: url }) }),
    ],
  ])("of POST %s: the secret is told once, and not kept with the key's answer", async (path, send) => {
    const key = newKey();
    const url = `https://hooks.example.com${path}/${key}`;
    const answer = z.looseObject({ webhook: z.object({ id: z.string(), secret: z.string().nullable() }) });
    const first = answer.parse(await (await send(key, url)).json());
    expect(first.webhook.secret).toMatch(/^whsec_/);
    expect(await secrets(path, key)).toBe(false);
    const again = answer.parse(await (await send(key, url)).json());
    expect(again).toEqual({ ...first, webhook: { id: first.webhook.id, secret: null } });
  });
});

describe('POST /uploads', () => {
  test('again gets the same upload', async () => {
    const key = { 'Idempotency-Key': newKey() };
    const first = await creation({ 'Upload-Length': '6', ...BYTES, ...key }, 'abc');
    const again = await creation({ 'Upload-Length': '6', ...BYTES, ...key }, 'abc');
    for (const name of ['Location', 'Upload-Offset', 'Upload-Expires', 'Tus-Resumable']) {
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    }
    expect(await offsetOf(idOf(first))).toBe(3);
    expect(idOf(again)).toBe(idOf(first));
  });

  test('does not share keys with POST /process', async () => {
    const key = newKey();
    const id = await accepted(await process(key));
    expect(idOf(await creation({ 'Upload-Length': '6', 'Idempotency-Key': key }))).not.toBe(id);
  });

  test('after the edge died goes on with the upload that was made', async () => {
    const key = newKey();
    const id = idOf(await creation({ 'Upload-Length': '6' }));
    await patch(id, 0, 'ab');
    await forsake('/uploads', key, id);
    const again = await creation({ 'Upload-Length': '6', ...BYTES, 'Idempotency-Key': key }, 'abc');
    expect([idOf(again), again.headers.get('Upload-Offset')]).toEqual([id, '2']);
  });

  test('that fails once its upload is there goes on with it the next time, and so does a refused one after it', async () => {
    const headers = { 'Upload-Length': '6', ...BYTES, 'Idempotency-Key': newKey() };
    const made: string[] = [];
    const away = () => Promise.reject(new Error('the job is away'));
    const JOB = {
      getByName: (id: string) => ({
        create: (job: NewJob) => {
          made.push(id);
          return env.JOB.getByName(id).create(job).then(away);
        },
        delete: away,
      }),
    };
    const init = { method: 'POST', headers: { ...RESUMABLE, ...headers, Host: 'localhost:8787' } };
    const failed = await app.fetch(
      new Request(`${ORIGIN}/uploads`, init),
      { ...env, JOB: JOB as unknown as Env['JOB'] },
      createExecutionContext(),
    );
    expect(failed.status).toBe(500);
    const other = { 'Upload-Checksum': `sha1 ${new Uint8Array(20).toBase64()}` };
    expect((await creation({ ...headers, ...other }, 'abc')).status).toBe(460);
    expect([idOf(await creation(headers, 'abc'))]).toEqual(made);
  });
});
