/** `POST /process`: what is taken, what is refused, and that a refusal leaves nothing behind. */
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test } from 'vitest';
import { Accepted } from '../../src/contract/api.ts';
import { call, env, job, keys, problemOf } from './edge.ts';

const MIB = 2 ** 20;
/** `MAX_UPLOAD_BYTES` of these tests, from vitest.config.ts. */
const LIMIT = 20 * MIB;
const BOUNDARY = 'a-boundary-for-this-test';
const OCTETS = { 'Content-Type': 'application/octet-stream' };

const video = (bytes: string | Uint8Array<ArrayBuffer> = 'bytes', name = 'clip.mp4') =>
  new File([bytes], name, { type: 'video/mp4' });

function form(...parts: [string, string | File][]): FormData {
  const data = new FormData();
  for (const [name, value] of parts) typeof value === 'string' ? data.append(name, value) : data.append(name, value);
  return data;
}

const process = (body: BodyInit, headers: Record<string, string> = {}, query = ''): Promise<Response> =>
  call(`/process${query}`, { method: 'POST', body, headers });

async function accepted(answer: Response): Promise<string> {
  expect(answer.status).toBe(202);
  return Accepted.parse(await answer.json()).job_id;
}

/** What there was when the test began: what earlier tests left is not its doing. */
const known = new Set<string>();

const videos = async (): Promise<string[]> => (await keys(env.INPUT, '')).filter((key) => !known.has(key));

async function objects(): Promise<DurableObjectStub[]> {
  const namespaces = [env.UPLOAD, env.JOB] as DurableObjectNamespace[];
  const found = namespaces.map(async (namespace) =>
    (await listDurableObjectIds(namespace)).map((id) => namespace.get(id)),
  );
  return (await Promise.all(found)).flat().filter(({ id }) => !known.has(id.toString()));
}

/** Nothing new in R2, and no new upload or job object that holds anything. */
async function isEmpty(): Promise<boolean> {
  if ((await videos()).length > 0) return false;
  for (const object of await objects()) {
    const rows = await runInDurableObject(object, async (_, { storage }) => {
      const tables = storage.sql
        .exec(`SELECT name FROM sqlite_master WHERE name IN ('log', 'timers', 'upload')`)
        .toArray();
      return tables.length + (await storage.list()).size + ((await storage.getAlarm()) === null ? 0 : 1);
    });
    if (rows > 0) return false;
  }
  return true;
}

describe('refused, and nothing is left behind', () => {
  beforeEach(async () => {
    for (const key of await videos()) known.add(key);
    for (const { id } of await objects()) known.add(id.toString());
  });

  const long = 'x'.repeat(300);
  const cut = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nhalf of`;
  const multipart = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };

  test.each<[string, number, () => Promise<Response>]>([
    ['unsupported_media_type', 415, () => process('text', { 'Content-Type': 'text/plain' })],
    ['unsupported_media_type', 415, () => process('{}', { 'Content-Type': 'application/json' })],
    ['invalid_request', 400, () => process('x', { 'Content-Type': 'multipart/form-data' })],
    ['missing_video', 400, () => process(form(['key', 'a']))],
    ['missing_video', 400, () => process(form(['video', 'text, not a file']))],
    ['duplicate_field', 400, () => process(form(['video', video()], ['video', video()]))],
    ['duplicate_field', 400, () => process(form(['key', 'a'], ['video', video()], ['key', 'b']))],
    ['empty_file', 400, () => process(form(['video', video('')]))],
    ['empty_file', 400, () => process('', OCTETS)],
    ['unknown_field', 400, () => process(form(['video', video()], ['colour', 'red']))],
    ['unknown_field', 400, () => process(form(['attachment', video()]))],
    ['unknown_field', 400, () => process(form(['video', video()], ['callback', 'http://example.com']))],
    ['unknown_field', 400, () => process('x', OCTETS, '?colour=red')],
    ['invalid_field', 400, () => process('x', OCTETS, `?options=${encodeURIComponent('{"quality":"best"}')}`)],
    ['invalid_field', 400, () => process('x', OCTETS, `?options=${encodeURIComponent('{"ladder":[]}')}`)],
    ['invalid_field', 400, () => process('x', OCTETS, `?options=${encodeURIComponent('{"retention_days":0}')}`)],
    ['invalid_field', 400, () => process(form(['video', video()], ['options', '[1]']))],
    ['duplicate_field', 400, () => process('x', OCTETS, '?key=a&key=b')],
    ['invalid_field', 400, () => process(form(['key', long], ['video', video()]))],
    ['invalid_field', 400, () => process(form(['video', video()], ['key', 'line\u0007bell']))],
    ['invalid_field', 400, () => process(form(['video', video()], ['key', '']))],
    ['invalid_field', 400, () => process(form(['video', video()], ['metadata', 'no json']))],
    ['invalid_field', 400, () => process(form(['video', video()], ['metadata', '{"a":{"b":1}}']))],
    [
      'invalid_field',
      400,
      () => process(form(['video', video()], ['metadata', JSON.stringify({ a: 'x'.repeat(2048) })])),
    ],
    ['body_incomplete', 400, () => process(cut, multipart)],
    ['body_incomplete', 400, () => process(`--${BOUNDARY}`, multipart)],
    ['too_large', 413, () => process(new Uint8Array(LIMIT + 1), OCTETS)],
    ['too_large', 413, () => process(form(['video', video(new Uint8Array(LIMIT + 1))]))],
  ])('%s (%i) %#', async (code, status, send) => {
    expect(await problemOf(await send())).toMatchObject({ code, status });
    expect(await isEmpty()).toBe(true);
  });

  test('too_large is answered before the whole body was read', async () => {
    const head = new TextEncoder().encode(`${cut}\n`);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += MIB;
        if (sent > 100 * MIB) controller.close();
        else controller.enqueue(sent === MIB ? head : new Uint8Array(MIB));
      },
    });
    expect(await problemOf(await process(endless, multipart))).toMatchObject({ code: 'too_large', status: 413 });
    expect(sent).toBeLessThan(LIMIT + 10 * MIB);
    expect(await isEmpty()).toBe(true);
  });

  test('length_required: a bare body of unknown length could be half a file', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(MIB));
        controller.close();
      },
    });
    expect(await problemOf(await process(body, OCTETS))).toMatchObject({ code: 'length_required', status: 411 });
    expect(await isEmpty()).toBe(true);
  });
});

describe('taken', () => {
  test.each<[string, () => Promise<Response>, string]>([
    ['a form with the file first', () => process(form(['video', video()], ['key', 'my clip'])), 'my clip'],
    ['a form with the file last', () => process(form(['key', 'my clip'], ['video', video()])), 'my clip'],
    ['a form without a key', () => process(form(['video', video('x', 'holiday.mov')])), 'holiday.mov'],
    ['a key of 255 characters', () => process(form(['key', 'k'.repeat(255)], ['video', video()])), 'k'.repeat(255)],
    ['a bare body', () => process('x', { 'Content-Type': 'video/webm' }, '?key=raw'), 'raw'],
    ['a bare body without a key', () => process('x', OCTETS), 'video'],
  ])('%s', async (_, send, key) => {
    const id = await accepted(await send());
    expect(await job(id)).toMatchObject({ id, key, status: 'pending', stage: 'uploading', progress: 10 });
  });

  test('the answer says where to look, absolutely', async () => {
    const answer = await process(form(['video', video()]));
    const { job_id, ...rest } = Accepted.parse(await answer.json());
    expect(rest).toEqual({
      message: 'Video processing started',
      status_url: `http://localhost:8787/jobs/${job_id}`,
      stream_url: `http://localhost:8787/jobs/${job_id}/stream`,
    });
  });

  test('a file part without a file name', async () => {
    const type = `multipart/form-data; boundary=${BOUNDARY}`;
    const part = 'Content-Disposition: form-data; name="video"\r\nContent-Type: application/octet-stream';
    const body = `--${BOUNDARY}\r\n${part}\r\n\r\nbytes\r\n--${BOUNDARY}--\r\n`;
    const id = await accepted(await process(body, { 'Content-Type': type }));
    expect((await job(id)).key).toBe('video');
  });

  test('options come back with the job, those not given at their defaults', async () => {
    const id = await accepted(await process(form(['video', video()], ['options', '{"ladder":[720,360],"mp4":true}'])));
    expect((await job(id)).options).toEqual({
      quality: 'standard',
      ladder: [720, 360],
      mp4: true,
      retention_days: null,
      priority: 'normal',
    });
  });

  test('metadata comes back with the job', async () => {
    const id = await accepted(await process(form(['video', video()], ['metadata', '{"order":"7"}'])));
    expect((await job(id)).metadata).toEqual({ order: '7' });
  });

  test.each([1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, LIMIT])('%i bytes arrive byte for byte', async (size) => {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i += 997) bytes[i] = i % 251;
    for (const send of [() => process(bytes, OCTETS), () => process(form(['video', video(bytes)]))]) {
      const id = await accepted(await send());
      const stored = await env.INPUT.get(`${id}/source`);
      const digest = async (data: ArrayBuffer) => new Uint8Array(await crypto.subtle.digest('SHA-256', data)).toHex();
      expect(stored && (await digest(await stored.arrayBuffer()))).toBe(await digest(bytes.buffer));
    }
  });

  test('the upload object forgets an upload that became a job', async () => {
    const id = await accepted(await process(form(['video', video()])));
    const left = await runInDurableObject(env.UPLOAD.getByName(id), async (_, { storage }) =>
      storage.sql.exec(`SELECT name FROM sqlite_master WHERE name = 'upload'`).toArray(),
    );
    expect(left).toEqual([]);
  });
});
