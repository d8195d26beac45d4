/** The core of tus 1.0.0, rule by rule: every MUST of https://tus.io/protocols/resumable-upload#core-protocol. */
import { describe, expect, test } from 'vitest';
import { call, job, problemOf } from './edge.ts';
import { BYTES, bytes, created, creation, head, offsetOf, patch, tus } from './tus.ts';

describe('HEAD', () => {
  test('always has Upload-Offset: at 0, in between, and when the upload is complete', async () => {
    const id = await created(30);
    expect(await offsetOf(id)).toBe(0);
    await patch(id, 0, bytes(0, 10));
    expect(await offsetOf(id)).toBe(10);
    await patch(id, 10, bytes(10, 30));
    expect(await offsetOf(id)).toBe(30);
  });

  test('has Upload-Length when the size is known, before and after completion', async () => {
    const id = await created(3);
    expect((await head(id)).headers.get('Upload-Length')).toBe('3');
    await patch(id, 0, 'abc');
    expect((await head(id)).headers.get('Upload-Length')).toBe('3');
  });

  test('is never cached', async () => {
    expect((await head(await created(3))).headers.get('Cache-Control')).toBe('no-store');
  });

  test('of an unknown upload is 404 without Upload-Offset', async () => {
    const answer = await head(crypto.randomUUID());
    expect([answer.status, answer.headers.get('Upload-Offset')]).toEqual([404, null]);
    expect((await tus('HEAD', '/uploads/not-a-uuid')).status).toBe(400);
  });
});

describe('PATCH', () => {
  test('at the offset is answered 204 with the new Upload-Offset', async () => {
    const id = await created(10);
    const answer = await patch(id, 0, 'abcd');
    expect([answer.status, answer.headers.get('Upload-Offset')]).toEqual([204, '4']);
  });

  test.each([0, 3, 5, 10])('at offset %i instead of 4 is 409 and changes nothing', async (offset) => {
    const id = await created(10);
    await patch(id, 0, 'abcd');
    expect(await problemOf(await patch(id, offset, 'efghij'.slice(0, 10 - offset)))).toMatchObject({
      status: 409,
      code: 'offset_conflict',
    });
    expect(await offsetOf(id)).toBe(4);
  });

  test('of another content type is 415, with and without one', async () => {
    const id = await created(10);
    for (const type of ['text/plain', '']) {
      const answer = await patch(id, 0, new Uint8Array(4), { 'Content-Type': type });
      expect(await problemOf(answer)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    }
    expect(await offsetOf(id)).toBe(0);
  });

  test.each(['', '-1', '1.5', 'x', '1e3', '9'.repeat(16)])('with the Upload-Offset %j is 400', async (offset) => {
    const id = await created(10);
    const answer = await patch(id, 0, 'abcd', { 'Upload-Offset': offset });
    expect(await problemOf(answer)).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await offsetOf(id)).toBe(0);
  });

  test('with more bytes than the upload has left is 413 and changes nothing', async () => {
    const id = await created(10);
    expect(await problemOf(await patch(id, 0, new Uint8Array(11)))).toMatchObject({ status: 413, code: 'too_large' });
    expect(await offsetOf(id)).toBe(0);
    expect((await patch(id, 0, new Uint8Array(10))).status).toBe(204);
    expect((await patch(id, 10, new Uint8Array(1))).status).toBe(413);
  });

  test('without bytes is no harm, before and after completion', async () => {
    const id = await created(4);
    expect((await patch(id, 0, '')).headers.get('Upload-Offset')).toBe('0');
    await patch(id, 0, 'abcd');
    const again = await patch(id, 4, '');
    expect([again.status, again.headers.get('Upload-Offset')]).toEqual([204, '4']);
    expect((await patch(id, 0, 'abcd')).status).toBe(409);
  });

  test('of an unknown upload is 404', async () => {
    expect(await problemOf(await patch(crypto.randomUUID(), 0, 'a'))).toMatchObject({ code: 'upload_not_found' });
  });
});

describe('OPTIONS', () => {
  test('announces exactly what is spoken here, whatever version is asked with', async () => {
    for (const path of ['/uploads', `/uploads/${crypto.randomUUID()}`]) {
      const answer = await call(path, { method: 'OPTIONS', headers: { 'Tus-Resumable': '0.2.0' } });
      expect(answer.status).toBe(204);
      expect(Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('tus-')))).toEqual({
        'tus-resumable': '1.0.0',
        'tus-version': '1.0.0',
        'tus-extension': 'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination',
        'tus-max-size': String(20 * 2 ** 20),
        'tus-checksum-algorithm': 'sha1,sha256',
      });
    }
  });

  test("lets a browser's page send and see what a client needs", async () => {
    const preflight = await call('/uploads', {
      method: 'OPTIONS',
      headers: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PATCH' },
    });
    const allowed = (preflight.headers.get('Access-Control-Allow-Headers') ?? '').toLowerCase().split(',');
    for (const name of ['tus-resumable', 'upload-length', 'upload-offset', 'upload-metadata', 'upload-checksum']) {
      expect(allowed).toContain(name);
    }
    for (const name of ['upload-defer-length', 'x-http-method-override', 'idempotency-key', 'content-type']) {
      expect(allowed).toContain(name);
    }
    expect(preflight.headers.get('Access-Control-Allow-Methods')).toMatch(/HEAD.*PATCH.*DELETE/);
    const answer = await creation({ 'Upload-Length': '3', Origin: 'https://a.example' });
    const exposed = (answer.headers.get('Access-Control-Expose-Headers') ?? '').split(',');
    expect(exposed).toEqual(expect.arrayContaining(['Location', 'Upload-Offset', 'Upload-Expires', 'Tus-Resumable']));
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });
});

describe('Tus-Resumable', () => {
  test.each(['', '0.2.2', '1.0.1'])('%j is 412 with Tus-Version, and nothing is done', async (version) => {
    const id = await created(10);
    const headers = { 'Tus-Resumable': version };
    const answers = [
      await creation({ 'Upload-Length': '10', ...headers }),
      await patch(id, 0, 'abcd', headers),
      await tus('DELETE', `/uploads/${id}`, headers),
    ];
    for (const answer of answers) {
      expect(await problemOf(answer)).toMatchObject({ status: 412, code: 'tus_version' });
      expect(answer.headers.get('Tus-Version')).toBe('1.0.0');
    }
    expect((await tus('HEAD', `/uploads/${id}`, headers)).status).toBe(412);
    expect(await offsetOf(id)).toBe(0);
  });

  test('is in every answer', async () => {
    const id = await created(3);
    const answers = [
      await creation({ 'Upload-Length': '3' }),
      await creation({}),
      await head(id),
      await patch(id, 0, 'abc'),
      await patch(id, 0, 'abc'),
      await patch(id, 0, 'abc', { 'Tus-Resumable': '' }),
      await tus('GET', `/uploads/${id}`),
      await tus('DELETE', `/uploads/${id}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 400, 200, 204, 409, 412, 405, 204]);
    for (const answer of answers) expect(answer.headers.get('Tus-Resumable')).toBe('1.0.0');
  });
});

describe('X-HTTP-Method-Override', () => {
  test('is the method, and the actual one is ignored', async () => {
    const id = await created(6);
    const through = (method: string, headers = {}, body?: BodyInit) =>
      tus('POST', `/uploads/${id}`, { 'X-HTTP-Method-Override': method, ...headers }, body);
    expect((await through('PATCH', { ...BYTES, 'Upload-Offset': '0' }, 'abc')).status).toBe(204);
    expect((await through('HEAD')).headers.get('Upload-Offset')).toBe('3');
    expect((await through('OPTIONS')).headers.get('Tus-Extension')).toContain('checksum');
    expect((await through('constructor')).status).toBe(405);
    expect((await through('DELETE')).status).toBe(204);
    expect((await head(id)).status).toBe(410);
  });

  test('of another route changes nothing', async () => {
    const id = await created(6);
    await call(`/jobs/${id}`, { headers: { 'X-HTTP-Method-Override': 'DELETE' } });
    expect((await job(id)).status).toBe('pending');
  });
});
