/** The extensions of tus 1.0.0 that OPTIONS announces, rule by rule. */
import { describe, expect, test } from 'vitest';
import { fire, secondsUntil, timer } from './clock.ts';
import { call, env, job, keys, problemOf } from './edge.ts';
import {
  BYTES,
  bytes,
  checksum,
  created,
  creation,
  digest,
  head,
  idOf,
  MIB,
  metadata,
  offsetOf,
  PART,
  patch,
  stored,
  tus,
} from './tus.ts';

const LIMIT = 20 * MIB;
const DAY = 86_400;

describe('creation', () => {
  test('is 201 with the Location of an upload whose id is the job’s', async () => {
    const answer = await creation({ 'Upload-Length': '10' });
    const id = idOf(answer);
    expect((await tus('HEAD', answer.headers.get('Location') ?? '')).status).toBe(200);
    expect(await job(id)).toMatchObject({ id, status: 'pending', stage: 'uploading', progress: 5 });
  });

  test.each<[string, Record<string, string>]>([
    ['neither', {}],
    ['both', { 'Upload-Length': '10', 'Upload-Defer-Length': '1' }],
    ['a deferred length that is not 1', { 'Upload-Defer-Length': '2' }],
    ['a negative length', { 'Upload-Length': '-1' }],
    ['no number', { 'Upload-Length': 'ten' }],
  ])('with %s of the two lengths is 400', async (_, headers) => {
    expect(await problemOf(await creation(headers))).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  test('beyond Tus-Max-Size is 413, up to it is not', async () => {
    expect(await problemOf(await creation({ 'Upload-Length': String(LIMIT + 1) }))).toMatchObject({ status: 413 });
    expect((await creation({ 'Upload-Length': String(LIMIT) })).status).toBe(201);
  });

  test('of an empty file is refused, as by POST /process', async () => {
    expect(await problemOf(await creation({ 'Upload-Length': '0' }))).toMatchObject({
      code: 'empty_file',
      status: 400,
    });
  });
});

describe('Upload-Metadata', () => {
  test('says what the job is, and HEAD says it again, before and after completion', async () => {
    const told = metadata({
      filename: 'héllo.mp4',
      filetype: 'video/mp4',
      key: 'my clip',
      options: '{"mp4":true}',
      metadata: '{"order":"7"}',
      relativePath: 'of no interest',
    });
    const id = await created(3, told);
    expect(await job(id)).toMatchObject({ key: 'my clip', options: { mp4: true }, metadata: { order: '7' } });
    expect((await head(id)).headers.get('Upload-Metadata')).toBe(told['Upload-Metadata']);
    await patch(id, 0, 'abc');
    expect((await head(id)).headers.get('Upload-Metadata')).toBe(told['Upload-Metadata']);
  });

  test('names the file when it has no key; values may be missing', async () => {
    expect((await job(await created(3, metadata({ filename: 'héllo.mp4' })))).key).toBe('héllo.mp4');
    expect((await job(await created(3, { 'Upload-Metadata': 'is_confidential' }))).key).toBe('video');
  });

  test.each<[string, string, string]>([
    ['a value that is not Base64', 'invalid_request', 'filename %%%'],
    ['a name twice', 'invalid_request', 'key YQ==,key YQ=='],
    ['a value that is not UTF-8', 'invalid_request', 'key /w=='],
    ['too many words', 'invalid_request', 'key YQ== YQ=='],
    ['a key that cannot be', 'invalid_field', 'key BwcH'],
    ['options that cannot be', 'invalid_field', `options ${btoa('{"quality":"best"}')}`],
    ['metadata that is no object', 'invalid_field', `metadata ${btoa('[1]')}`],
  ])('with %s is 400 (%s)', async (_, code, value) => {
    const answer = await creation({ 'Upload-Length': '3', 'Upload-Metadata': value });
    expect(await problemOf(answer)).toMatchObject({ status: 400, code });
  });
});

describe('creation-with-upload', () => {
  test('has Upload-Offset: all of the file, or its beginning', async () => {
    const whole = await creation({ 'Upload-Length': '5', ...BYTES }, 'hello');
    expect(whole.headers.get('Upload-Offset')).toBe('5');
    expect(await (await env.INPUT.get(`${idOf(whole)}/source`))?.text()).toBe('hello');
    const part = await creation({ 'Upload-Length': '10', ...BYTES }, 'hello');
    expect(part.headers.get('Upload-Offset')).toBe('5');
    expect((await patch(idOf(part), 5, 'world')).headers.get('Upload-Offset')).toBe('10');
  });

  test.each<[number, string, Record<string, string>]>([
    [415, 'hello', { 'Content-Type': 'video/mp4' }],
    [413, 'hello, world', BYTES],
    [460, 'hello', { ...BYTES, 'Upload-Checksum': `sha1 ${btoa('x'.repeat(20))}` }],
  ])('is refused with %i as a PATCH would be, and leaves no job', async (status, body, headers) => {
    const before = (await (await call('/jobs')).json<{ jobs: unknown[] }>()).jobs.length;
    expect((await creation({ 'Upload-Length': '5', ...headers }, body)).status).toBe(status);
    const gone = async () => (await (await call('/jobs')).json<{ jobs: unknown[] }>()).jobs.length;
    await expect.poll(gone).toBe(before);
  });
});

describe('creation-defer-length', () => {
  test('HEAD says Upload-Defer-Length until the length is told with a PATCH, and Upload-Length from then on', async () => {
    const id = await created(null);
    const lengths = async () => {
      const { headers } = await head(id);
      return [headers.get('Upload-Defer-Length'), headers.get('Upload-Length')];
    };
    await patch(id, 0, 'abc');
    expect(await lengths()).toEqual(['1', null]);
    await patch(id, 3, 'def', { 'Upload-Length': '9' });
    expect(await lengths()).toEqual([null, '9']);
    expect((await patch(id, 6, 'ghi')).status).toBe(204);
    expect(await (await env.INPUT.get(`${id}/source`))?.text()).toBe('abcdefghi');
  });

  test('a length that was told cannot change, nor be less than what is here, nor beyond Tus-Max-Size', async () => {
    const id = await created(null);
    await patch(id, 0, 'abc');
    const told = (length: string) => patch(id, 3, '', { 'Upload-Length': length });
    expect(await problemOf(await told('2'))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await problemOf(await told(String(LIMIT + 1)))).toMatchObject({ status: 413 });
    expect((await told('9')).status).toBe(204);
    expect(await problemOf(await told('10'))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect((await told('9')).status).toBe(204);
    expect(await problemOf(await patch(await created(null), 0, '', { 'Upload-Length': '0' }))).toMatchObject({
      code: 'empty_file',
    });
  });

  test('the length may come last, when all bytes are here', async () => {
    const id = await created(null);
    await patch(id, 0, 'abc');
    expect((await job(id)).progress).toBe(5);
    expect((await patch(id, 3, '', { 'Upload-Length': '3' })).status).toBe(204);
    expect((await job(id)).progress).toBe(10);
  });

  test('without a length Tus-Max-Size holds', async () => {
    const id = await created(null);
    await patch(id, 0, new Uint8Array(LIMIT));
    expect(await problemOf(await patch(id, LIMIT, 'x'))).toMatchObject({ status: 413, code: 'too_large' });
    expect(await offsetOf(id)).toBe(LIMIT);
  });
});

describe('expiration', () => {
  test('Upload-Expires says when an unfinished upload ends, with POST, PATCH and HEAD; a finished one has none', async () => {
    const answer = await creation({ 'Upload-Length': '6' });
    const expires = answer.headers.get('Upload-Expires') ?? '';
    const id = idOf(answer);
    expect(new Date(expires).toUTCString()).toBe(expires);
    expect(Math.abs((Date.parse(expires) - Date.now()) / 1000 - DAY)).toBeLessThan(30);
    expect((await patch(id, 0, 'abc')).headers.get('Upload-Expires')).toBe(expires);
    expect((await head(id)).headers.get('Upload-Expires')).toBe(expires);
    expect((await patch(id, 3, 'def')).headers.get('Upload-Expires')).toBeNull();
  });

  test('then the job has failed, HEAD and PATCH are 410, and R2 is free', async () => {
    const id = await created(2 * PART);
    await patch(id, 0, bytes(0, PART + 5));
    expect(Math.abs(secondsUntil(await timer(id, 'upload')) - DAY)).toBeLessThan(30);
    await fire(id, 'upload');
    expect(await job(id)).toMatchObject({
      status: 'failed',
      error: { code: 'upload_expired', retryable: false },
    });
    expect((await head(id)).status).toBe(410);
    expect(await problemOf(await patch(id, PART + 5, 'x'))).toMatchObject({ status: 410, code: 'upload_gone' });
    expect(await problemOf(await call(`/jobs/${id}/retry`, { method: 'POST' }))).toMatchObject({ code: 'no_source' });
  });

  test('a finished upload does not expire', async () => {
    const id = await created(3);
    await patch(id, 0, 'abc');
    expect(await timer(id, 'upload')).toBeUndefined();
  });
});

describe('checksum', () => {
  test.each(['sha1', 'sha256'] as const)('%s that is right: the bytes count', async (algorithm) => {
    const id = await created(10);
    const answer = await patch(id, 0, 'abcd', await checksum(algorithm, new TextEncoder().encode('abcd')));
    expect([answer.status, await offsetOf(id)]).toEqual([204, 4]);
  });

  test.each([5, PART + 5])('that is wrong is 460, and none of the %i bytes counts', async (size) => {
    const id = await created(2 * PART);
    await patch(id, 0, bytes(0, 7));
    const sent = bytes(7, 7 + size);
    const wrong = await checksum('sha256', new Uint8Array(1));
    expect(await problemOf(await patch(id, 7, sent, wrong))).toMatchObject({ status: 460, code: 'checksum_mismatch' });
    expect(await offsetOf(id)).toBe(7);
    const right = await checksum('sha256', sent);
    expect((await patch(id, 7, sent, right)).headers.get('Upload-Offset')).toBe(String(7 + size));
    expect((await patch(id, 7 + size, bytes(7 + size, 2 * PART))).status).toBe(204);
    expect(await stored(id)).toBe(await digest(bytes(0, 2 * PART)));
  });

  test.each(['md5 1B2M2Y8AsgTpgAmY7PhCfg==', 'sha1', 'sha1 abc', 'sha256 ', `sha1 ${btoa('x'.repeat(32))}`])(
    '%j is 400',
    async (value) => {
      const id = await created(10);
      const answer = await patch(id, 0, 'abcd', { 'Upload-Checksum': value });
      expect(await problemOf(answer)).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(await offsetOf(id)).toBe(0);
    },
  );
});

describe('termination', () => {
  test('is 204; then HEAD and PATCH are 410, the job is gone and R2 is free', async () => {
    const id = await created(2 * PART);
    await patch(id, 0, bytes(0, PART + 1));
    const answer = await tus('DELETE', `/uploads/${id}`);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect((await head(id)).status).toBe(410);
    expect((await patch(id, PART + 1, 'x')).status).toBe(410);
    expect((await call(`/jobs/${id}`)).status).toBe(404);
    expect(await keys(env.INPUT, id)).toEqual([]);
  });

  test('of a finished upload deletes job and source', async () => {
    const id = await created(3);
    await patch(id, 0, 'abc');
    expect(await keys(env.INPUT, id)).toEqual([`${id}/source`]);
    expect((await tus('DELETE', `/uploads/${id}`)).status).toBe(204);
    expect((await head(id)).status).toBe(410);
    await expect.poll(() => keys(env.INPUT, id)).toEqual([]);
  });

  test('of an unknown upload is 404', async () => {
    expect((await tus('DELETE', `/uploads/${crypto.randomUUID()}`)).status).toBe(404);
  });
});
