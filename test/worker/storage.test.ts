/** What a transcoder reads and stores over `/internal`: the source, outputs whole and in parts. */
import { describe, expect, test } from 'vitest';
import { call, env, keys, lease, post, problemOf, storeSegment, submit } from './edge.ts';

const ofUnknownLength = (text: string): ReadableStream =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });

describe('outputs', () => {
  test('are create-only: 201, the same bytes again 200, others 409', async () => {
    const id = await submit();
    const number = await lease(id);
    expect((await storeSegment(id, number, '360p', '1.m4s', 'bytes')).status).toBe(201);
    expect((await storeSegment(id, number, '360p', '1.m4s', 'bytes')).status).toBe(200);
    const other = await storeSegment(id, number, '360p', '1.m4s', 'other');
    expect(await problemOf(other)).toMatchObject({ status: 409, code: 'object_exists' });
    const stored = await env.OUTPUT.get(`${id}/360p/t${number}/1.m4s`);
    expect(await stored?.text()).toBe('bytes');
  });

  test('land under the take of the lease, and nowhere with a lease that is lost', async () => {
    const id = await submit();
    const first = await lease(id);
    await post(`/internal/jobs/${id}/release`, { lease: first });
    const second = await lease(id);
    await storeSegment(id, second, 'audio', 'init.mp4', 'new');
    const late = await storeSegment(id, first, 'audio', '1.m4s', 'late');
    expect(await problemOf(late)).toMatchObject({ status: 409, code: 'lease_lost' });
    expect(await keys(env.OUTPUT, id)).toEqual([`${id}/audio/t${second}/init.mp4`]);
  });

  test.each<[string, number, string, RequestInit & { headers: Record<string, string> }]>([
    ['no lease', 400, 'invalid_request', { headers: { 'Reelwire-Lease': '' } }],
    ['no digest', 400, 'invalid_request', { headers: { 'Repr-Digest': '' } }],
    ['a digest of other bytes', 400, 'digest_mismatch', { body: 'bytez', headers: {} }],
    ['no length', 411, 'length_required', { body: ofUnknownLength('bytes'), headers: { 'Content-Length': '' } }],
  ])('with %s are refused (%i %s)', async (_, status, code, change) => {
    const id = await submit();
    const number = await lease(id);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('bytes')));
    const headers = {
      'Content-Length': '5',
      'Repr-Digest': `sha-256=:${digest.toBase64()}:`,
      'Reelwire-Lease': `main:${number}`,
    };
    const address = `/internal/jobs/${id}/outputs/audio/1.m4s`;
    const put = (init: RequestInit & { headers: Record<string, string> }) =>
      call(address, {
        method: 'PUT',
        body: 'bytes',
        ...init,
        headers: Object.fromEntries(
          Object.entries({ ...headers, ...init.headers }).filter(([, value]) => value !== ''),
        ),
      });
    expect(await problemOf(await put(change))).toMatchObject({ status, code });
    expect(await keys(env.OUTPUT, id)).toEqual([]);
    expect((await put({ headers: {} })).status).toBe(201);
  });

  test.each(['../../x/1.m4s', 'audio/..%2f1.m4s', 'video/1.m4s', 'audio/1.mp4', 'audio/0.m4s', 'audio/t9/1.m4s'])(
    'have no other names: %s',
    async (path) => {
      const id = await submit();
      const number = await lease(id);
      const before = await keys(env.OUTPUT, '');
      const answer = await call(`/internal/jobs/${id}/outputs/${path}`, {
        method: 'PUT',
        body: 'x',
        headers: { 'Reelwire-Lease': `main:${number}` },
      });
      expect([400, 404]).toContain(answer.status);
      expect(await keys(env.OUTPUT, '')).toEqual(before);
    },
  );
});

describe('source', () => {
  test('is served in ranges to the holder of the lease only', async () => {
    const id = await submit('0123456789');
    const number = await lease(id);
    const get = (headers: Record<string, string>) => call(`/internal/jobs/${id}/source`, { headers });
    const part = await get({ 'Reelwire-Lease': `main:${number}`, Range: 'bytes=4-' });
    expect([part.status, part.headers.get('Content-Range'), await part.text()]).toEqual([
      206,
      'bytes 4-9/10',
      '456789',
    ]);
    expect(await problemOf(await get({ 'Reelwire-Lease': 'main:9' }))).toMatchObject({ code: 'lease_lost' });
    expect(await problemOf(await get({}))).toMatchObject({ code: 'invalid_request' });
  });
});

describe('an output in parts', () => {
  test('is put together under the take of the lease', async () => {
    const id = await submit();
    const number = await lease(id);
    const base = `/internal/jobs/${id}/outputs/mp4/video.mp4/parts`;
    const headers = { 'Reelwire-Lease': `main:${number}` };
    const { upload_id } = await (await call(base, { method: 'POST', headers })).json<{ upload_id: string }>();
    const put = async (n: number, body: Uint8Array<ArrayBuffer>) => {
      const address = `${base}/${n}?upload_id=${encodeURIComponent(upload_id)}`;
      return (
        await call(address, { method: 'PUT', headers: { ...headers, 'Content-Length': String(body.length) }, body })
      ).json();
    };
    const parts = [await put(1, new Uint8Array(5 * 2 ** 20).fill(1)), await put(2, new Uint8Array(3).fill(2))];
    const complete = (id: string) =>
      call(`${base}/complete`, { method: 'POST', headers, body: JSON.stringify({ upload_id: id, parts }) });
    expect((await complete(upload_id)).status).toBe(200);
    expect((await env.OUTPUT.head(`${id}/mp4/t${number}/video.mp4`))?.size).toBe(5 * 2 ** 20 + 3);
    expect(await problemOf(await complete(upload_id))).toMatchObject({ status: 404, code: 'not_found' });
    const elsewhere = await call(`/internal/jobs/${id}/outputs/mp4/other.mp4/parts`, { method: 'POST', headers });
    expect(await problemOf(elsewhere)).toMatchObject({ code: 'invalid_request' });
  });
});
