/** Whose an upload in pieces is: the key or the token that began it has it, admin keys have all, others have none. */
import { beforeAll, describe, expect, test } from 'vitest';
import { Entry } from '../../src/contract/entries.ts';
import { Job } from '../../src/contract/job.ts';
import { bearer, betrayed, call, deploy, env, newKey, newUpload, uploadToken } from './closed.ts';
import { problemOf } from './edge.ts';
import { BYTES, type Headers, metadata, RESUMABLE } from './tus.ts';

let admin = '';
let submit = '';
let other = '';
let read = '';
beforeAll(async () => {
  await deploy();
  admin = (await newKey('admin')).key;
  submit = (await newKey('submit')).key;
  other = (await newKey('submit', 'other')).key;
  read = (await newKey('read')).key;
});

const ask = (method: string, path: string, shown: string, headers: Headers = {}, body?: BodyInit): Promise<Response> =>
  call(path, {
    method,
    headers: { ...RESUMABLE, ...bearer(shown), ...headers },
    ...(body === undefined ? {} : { body }),
  });

const create = (shown: string, headers: Headers, body?: BodyInit): Promise<Response> =>
  ask('POST', '/uploads', shown, headers, body);

const append = (id: string, shown: string, offset: number, body: string, headers: Headers = {}): Promise<Response> =>
  ask('PATCH', `/uploads/${id}`, shown, { ...BYTES, 'Upload-Offset': String(offset), ...headers }, body);

const offset = async (id: string, shown: string): Promise<string | null> =>
  (await ask('HEAD', `/uploads/${id}`, shown)).headers.get('Upload-Offset');

const job = async (id: string): Promise<Job> =>
  Job.parse(await (await call(`/jobs/${id}`, { headers: bearer(admin) })).json());

const createdBy = async (id: string): Promise<unknown> => {
  const { events } = await (await call(`/jobs/${id}/events`, { headers: bearer(read) })).json<{ events: unknown[] }>();
  return events.map((one) => Entry.parse(one)).find(({ type }) => type === 'state')?.data;
};

describe('an upload', () => {
  test('is there for who began it and for admin keys, and for others as if it was not', async () => {
    const token = await uploadToken(submit);
    const [ofKey, ofToken] = [await newUpload(submit), await newUpload(token)];
    for (const [id, owner] of [
      [ofKey, submit],
      [ofToken, token],
    ] as const) {
      for (const stranger of [other, await uploadToken(submit), owner === submit ? token : submit]) {
        expect((await ask('HEAD', `/uploads/${id}`, stranger)).status).toBe(404);
        const unknown = await append(crypto.randomUUID(), stranger, 0, 'abc');
        expect(await problemOf(await append(id, stranger, 0, 'abc'))).toEqual(await problemOf(unknown));
        expect((await ask('DELETE', `/uploads/${id}`, stranger)).status).toBe(404);
      }
      expect((await append(id, owner, 0, 'abc')).status).toBe(204);
      expect((await append(id, admin, 3, 'de')).status).toBe(204);
      expect([await offset(id, owner), await offset(id, admin)]).toEqual(['5', '5']);
      expect((await job(id)).status).toBe('pending');
    }
  });

  test('may be ended by who began it while it is open; a whole one is a video, and for admin keys', async () => {
    for (const shown of [submit, await uploadToken(submit)]) {
      const open = await newUpload(shown);
      expect((await ask('DELETE', `/uploads/${open}`, shown)).status).toBe(204);
      expect((await call(`/jobs/${open}`, { headers: bearer(admin) })).status).toBe(404);
    }
    for (const shown of [submit, await uploadToken(submit)]) {
      const whole = await newUpload(shown);
      expect((await append(whole, shown, 0, '0123456789')).status).toBe(204);
      const refused = await ask('DELETE', `/uploads/${whole}`, shown);
      expect(await problemOf(refused)).toMatchObject({ status: 403, code: 'forbidden' });
      expect((await job(whole)).status).toBe('pending');
      expect((await ask('DELETE', `/uploads/${whole}`, admin)).status).toBe(204);
    }
  });

  test('is not opened by saying another method', async () => {
    const id = await newUpload(submit);
    const end = { 'X-HTTP-Method-Override': 'DELETE' };
    const statuses = async (method: string): Promise<number[]> => [
      (await ask(method, `/uploads/${id}`, read, end)).status,
      (await ask(method, `/uploads/${id}`, other, end)).status,
      (await call(`/uploads/${id}`, { method, headers: { ...RESUMABLE, ...end } })).status,
    ];
    expect([await statuses('POST'), await statuses('GET')]).toEqual([
      [403, 404, 401],
      [403, 404, 401],
    ]);
    expect(await offset(id, submit)).toBe('0');
    expect((await ask('POST', `/uploads/${id}`, submit, end)).status).toBe(204);
  });

  test('stands in the log of its job with the name of who began it', async () => {
    const token = await uploadToken(submit);
    expect(await createdBy(await newUpload(submit))).toMatchObject({ details: { by: 'key submit-bot' } });
    const by = 'an upload token of key submit-bot';
    expect(await createdBy(await newUpload(token))).toMatchObject({ details: { by } });
  });
});

describe('an upload token', () => {
  const ten = { 'Upload-Length': '10' };

  test('begins one upload, made as it says', async () => {
    const token = await uploadToken(submit, { max_bytes: 10, key: 'theirs', options: { ladder: [360] } });
    const said = metadata({ key: 'mine', options: '{"ladder":[1080],"priority":"high"}' });
    const { job_id } = await (await create(token, { ...ten, ...said })).json<{ job_id: string }>();
    expect(await job(job_id)).toMatchObject({ key: 'theirs', options: { ladder: [360], priority: 'normal' } });
    expect(await problemOf(await create(token, ten))).toMatchObject({ status: 409, code: 'token_used' });
    const form = await ask('POST', '/process', token, { 'Content-Type': 'video/mp4' }, 'video');
    expect(await problemOf(form)).toMatchObject({ code: 'token_used' });
  });

  test('begins one upload though several come at once', async () => {
    const token = await uploadToken(submit);
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((body) => create(token, { ...ten, ...BYTES }, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  test('lets no more bytes in than it says, though their number is told later', async () => {
    const token = await uploadToken(submit, { max_bytes: 10 });
    expect(await problemOf(await create(token, { 'Upload-Length': '11' }))).toMatchObject({ code: 'too_large' });
    const deferred = { 'Upload-Defer-Length': '1' };
    const { job_id } = await (await create(token, deferred)).json<{ job_id: string }>();
    expect((await append(job_id, token, 0, '01234567')).status).toBe(204);
    expect(await problemOf(await append(job_id, token, 8, 'abc'))).toMatchObject({ status: 413, code: 'too_large' });
    const told = await append(job_id, token, 8, '', { 'Upload-Length': '11' });
    expect(await problemOf(told)).toMatchObject({ code: 'too_large' });
    expect((await append(job_id, token, 8, 'ab', { 'Upload-Length': '10' })).status).toBe(204);
  });

  test('is not spent by what was refused', async () => {
    const token = await uploadToken(submit, { max_bytes: 10 });
    const wrong = { 'Upload-Checksum': `sha1 ${new Uint8Array(20).toBase64()}` };
    const refused = await create(token, { ...ten, ...BYTES, ...wrong }, 'abc');
    expect(await problemOf(refused)).toMatchObject({ status: 460, code: 'checksum_mismatch' });
    expect((await create(token, { ...ten, ...BYTES }, 'abc')).status).toBe(201);
  });

  test('comes without a webhook_url', async () => {
    const token = await uploadToken(submit);
    const hook = metadata({ webhook_url: 'https://hooks.example.com/' });
    expect(await problemOf(await create(token, { ...ten, ...hook }))).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await create(token, ten)).status).toBe(201);
  });

  test('sent again with its Idempotency-Key gets the first answer', async () => {
    const token = await uploadToken(submit);
    const again = { ...ten, 'Idempotency-Key': 'again' };
    const [first, second] = [await create(token, again), await create(token, again)];
    expect([second.status, await second.text()]).toEqual([first.status, await first.text()]);
  });
});

test('an Idempotency-Key belongs to the caller', async () => {
  const key = { 'Idempotency-Key': 'shared' };
  const process = async (shown: string): Promise<string> => {
    const answer = await ask('POST', '/process', shown, { 'Content-Type': 'video/mp4', ...key }, 'video');
    expect(answer.status).toBe(202);
    return (await answer.json<{ job_id: string }>()).job_id;
  };
  const first = await process(submit);
  expect(await process(other)).not.toBe(first);
  expect(await process(submit)).toBe(first);
});

test('what tus can do here is told to everybody, and nothing is done by asking', async () => {
  const id = await newUpload(submit);
  for (const path of ['/uploads', `/uploads/${id}`]) {
    const answer = await call(path, { method: 'OPTIONS', headers: { Origin: 'https://elsewhere.example' } });
    expect([answer.status, answer.headers.get('Tus-Version')]).toEqual([204, '1.0.0']);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  }
  expect((await env.UPLOAD.getByName(id).head(null)).ok).toBe(true);
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(20);
});
