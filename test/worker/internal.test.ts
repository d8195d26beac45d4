/** The transcoders' protocol: every call may come twice, late, or from someone who lost the lease. */
import { describe, expect, test } from 'vitest';
import { LeaseGrant } from '../../src/contract/transcoder.ts';
import { PLAN } from '../unit/commands.ts';
import {
  call,
  completedJob,
  env,
  finish,
  job,
  lease,
  makeOutputs,
  post,
  problemOf,
  report,
  segmentText,
  submit,
} from './edge.ts';

const internal = (id: string, what: string, body: unknown) => post(`/internal/jobs/${id}/${what}`, body);

describe('lease', () => {
  test('grants what the work needs, and the same to the same request', async () => {
    const id = await submit('sixteen bytes...');
    const request = { task: 'main', transcoder: 'box', request_id: 'one' };
    const grant = LeaseGrant.parse(await (await internal(id, 'lease', request)).json());
    expect(grant).toEqual({
      lease: 1,
      lease_ms: 30_000,
      attempt: 1,
      source: { size_bytes: 16, content_type: 'application/octet-stream' },
      options: { quality: 'standard', ladder: null, mp4: false, retention_days: null, priority: 'normal' },
      plan: null,
      committed: [],
      validated: [],
      artifacts: [],
    });
    expect(await (await internal(id, 'lease', request)).json()).toEqual(grant);
    expect(await job(id)).toMatchObject({ status: 'processing', workflow_id: 'main:1', attempt: 1 });
  });

  test('is refused while another holds it, after the end, and for an unknown job', async () => {
    const id = await submit();
    await lease(id);
    const request = { task: 'main', transcoder: 'box', request_id: 'two' };
    expect(await problemOf(await internal(id, 'lease', request))).toMatchObject({ status: 409, code: 'lease_refused' });
    const done = await completedJob();
    expect(await problemOf(await internal(done, 'lease', request))).toMatchObject({
      status: 409,
      code: 'lease_refused',
    });
    const unknown = crypto.randomUUID();
    expect(await problemOf(await internal(unknown, 'lease', request))).toMatchObject({
      status: 404,
      code: 'job_not_found',
    });
  });

  test('tells the next transcoder the plan and what is committed', async () => {
    const id = await submit();
    const first = await lease(id);
    await makeOutputs(id, first);
    await internal(id, 'release', { lease: first });
    const request = { task: 'main', transcoder: 'box', request_id: 'three' };
    const grant = LeaseGrant.parse(await (await internal(id, 'lease', request)).json());
    expect(grant.plan).toEqual(PLAN);
    expect(grant.committed.map(({ rendition }) => rendition)).toEqual(['360p', '720p', 'audio']);
    expect(grant.committed[1]).toMatchObject({
      rendition: '720p',
      runs: [{ take: first, from: 1, to: 3 }],
      ended: false,
    });
  });
});

describe('report', () => {
  test('a batch already taken has no effect; the next one does', async () => {
    const id = await submit();
    const number = await lease(id);
    const warn = (text: string) => ({
      entries: [{ type: 'warning' as const, code: 'decode_errors' as const, message: text, details: {} }],
    });
    await report(id, number, 1, warn('first'));
    const { last_event_id } = await job(id);
    expect(await (await report(id, number, 1, warn('again'))).json()).toEqual({ cancel: false });
    expect((await job(id)).last_event_id).toBe(last_event_id);
    await report(id, number, 2, warn('second'));
    expect((await job(id)).latest_events.at(-1)?.message).toBe('second');
  });

  test('an empty one logs nothing', async () => {
    const id = await submit();
    const number = await lease(id);
    const { last_event_id } = await job(id);
    expect((await report(id, number, 1)).status).toBe(200);
    expect((await job(id)).last_event_id).toBe(last_event_id);
  });

  test('a batch of which one part is refused has no effect at all', async () => {
    const id = await submit();
    const number = await lease(id);
    const { last_event_id } = await job(id);
    const entries = [
      { type: 'plan' as const, plan: PLAN },
      { type: 'rendition' as const, name: '360p', segments: 3 },
    ];
    expect(await problemOf(await report(id, number, 1, { entries }))).toMatchObject({
      status: 409,
      code: 'rendition_incomplete',
    });
    expect(await job(id)).toMatchObject({ last_event_id, renditions: [] });
    expect((await report(id, number, 1, { entries: entries.slice(0, 1) })).status).toBe(200);
    expect((await job(id)).renditions).toHaveLength(2);
  });

  test('after a cancel it is told so, even when the job was tried again meanwhile', async () => {
    const id = await submit();
    const number = await lease(id);
    for (const what of ['cancel', 'retry']) await post(`/jobs/${id}/${what}`, {});
    expect(await (await report(id, number, 1)).json()).toEqual({ cancel: true });
  });

  test('after a cancel it is told so; with a lease that is not the live one it is refused', async () => {
    const id = await submit();
    const number = await lease(id);
    await call(`/jobs/${id}/cancel`, { method: 'POST' });
    expect(await (await report(id, number, 1)).json()).toEqual({ cancel: true });
    const other = await submit();
    await lease(other);
    expect(await problemOf(await report(other, 7, 1))).toMatchObject({ status: 409, code: 'lease_lost' });
  });

  test.each([
    ['no JSON', 'nonsense'],
    ['a type that does not exist', { lease: 1, batch: 1, entries: [{ type: 'complete' }], commits: [] }],
    [
      'a warning that only the edge may give',
      {
        lease: 1,
        batch: 1,
        entries: [{ type: 'warning', code: 'transcoder_lost', message: '', details: {} }],
        commits: [],
      },
    ],
    ['a field too much', { lease: 1, batch: 1, entries: [], commits: [], more: 1 }],
    [
      'a digest that is none',
      {
        lease: 1,
        batch: 1,
        entries: [],
        commits: [{ rendition: 'audio', n: 1, duration: 4, bytes: 1, sha256: 'x', keyframe: null }],
      },
    ],
  ])('%s is invalid_request', async (_, body) => {
    const id = await submit();
    await lease(id);
    const answer = await call(`/internal/jobs/${id}/report`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    expect(await problemOf(answer)).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('release and finish', () => {
  test('release hands the job back at once; repeated it has no effect', async () => {
    const id = await submit();
    const number = await lease(id);
    expect((await internal(id, 'release', { lease: number })).status).toBe(200);
    expect(await job(id)).toMatchObject({ status: 'pending', workflow_id: null });
    const { last_event_id } = await job(id);
    expect((await internal(id, 'release', { lease: number })).status).toBe(200);
    expect((await job(id)).last_event_id).toBe(last_event_id);
  });

  test('finish completes the job; repeated it gets its first answer again', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    expect(await (await finish(id, number)).json()).toEqual({ status: 'completed' });
    const { result, last_event_id } = await job(id);
    expect(await (await finish(id, number)).json()).toEqual({ status: 'completed' });
    expect((await job(id)).last_event_id).toBe(last_event_id);
    expect(result).toMatchObject({ duration_seconds: 12, playback: { hls: `/jobs/${id}/outputs/master.m3u8` } });
    expect(Object.keys(result?.stage_seconds ?? {})).toEqual(['uploading', 'transcoding', 'storage']);
    for (const { name, size_bytes } of result?.artifacts ?? []) {
      expect((await env.OUTPUT.head(`${id}/${name}`))?.size).toBe(size_bytes);
    }
  });

  test('finish is refused while an object that was committed is missing, or has another size', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    const key = `${id}/720p/t${number}/2.m4s`;
    for (const damage of [() => env.OUTPUT.delete(key), () => env.OUTPUT.put(key, 'short')]) {
      await damage();
      const { code, detail } = await problemOf(await finish(id, number));
      expect(code).toBe('outputs_missing');
      expect(detail).toContain(`720p/t${number}/2.m4s`);
      expect((await job(id)).status).toBe('processing');
    }
    await env.OUTPUT.put(key, segmentText('720p', 2));
    expect((await finish(id, number)).status).toBe(200);
  });

  test('finish with an error that may be retried makes the job wait again, with another it ends', async () => {
    const id = await submit();
    const first = await lease(id);
    const error = { code: 'encode_failed', message: 'The encoder stopped.', retryable: true };
    const failed = { lease: first, error };
    expect(await (await internal(id, 'finish', failed)).json()).toEqual({ status: 'pending' });
    expect(await (await internal(id, 'finish', failed)).json()).toEqual({ status: 'pending' });
    const second = await lease(id);
    expect(await problemOf(await internal(id, 'finish', failed))).toMatchObject({ code: 'lease_lost' });
    const fatal = { lease: second, error: { code: 'no_video', message: 'There is no picture.', retryable: false } };
    expect(await (await internal(id, 'finish', fatal)).json()).toEqual({ status: 'failed' });
    expect(await job(id)).toMatchObject({
      error_message: 'There is no picture.',
      error: { code: 'no_video', retryable: false },
    });
  });

  test('a job cancelled while it is being finished stays cancelled, and nothing can be played', async () => {
    const id = await submit();
    const number = await lease(id);
    await makeOutputs(id, number);
    const [end, cancelled] = await Promise.all([finish(id, number), call(`/jobs/${id}/cancel`, { method: 'POST' })]);
    expect(cancelled.status).toBe(202);
    expect(await problemOf(end)).toMatchObject({ code: 'lease_lost' });
    const answer = await call(`/jobs/${id}/outputs/360p/t${number}/1.m4s`);
    expect(await problemOf(answer)).toMatchObject({ status: 410, code: 'job_cancelled' });
  });
});

describe('an unknown job', () => {
  test.each<[string, string, unknown]>([
    ['POST', 'lease', { task: 'main', transcoder: 'box', request_id: 'unknown' }],
    ['POST', 'report', { lease: 1, batch: 1, entries: [], commits: [] }],
    ['POST', 'release', { lease: 1 }],
    ['POST', 'finish', { lease: 1, result: { duration_seconds: 1 } }],
    ['POST', 'finish', { lease: 1, error: { code: 'internal', message: '', retryable: true } }],
    ['GET', 'source', null],
    ['PUT', 'outputs/audio/1.m4s', null],
    ['GET', 'outputs/audio/t1/1.m4s', null],
    ['POST', 'outputs/mp4/video.mp4/parts', null],
  ])('is job_not_found: %s %s', async (method, path, body) => {
    const answer = await call(`/internal/jobs/${crypto.randomUUID()}/${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
      headers: { 'Reelwire-Lease': 'main:1' },
    });
    expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'job_not_found' });
  });
});

describe('a second attempt', () => {
  test('is told what is whole, and may read it', async () => {
    const id = await submit();
    const first = await lease(id);
    await makeOutputs(id, first);
    const vmaf = { mean: 93.5, samples: 150 };
    await report(id, first, 2, { entries: [{ type: 'validated', name: '360p', vmaf }] });
    expect((await job(id)).renditions[0]).toMatchObject({ status: 'validated', vmaf });
    await internal(id, 'release', { lease: first });
    const request = { task: 'main', transcoder: 'box', request_id: 'second-attempt' };
    const grant = LeaseGrant.parse(await (await internal(id, 'lease', request)).json());
    expect(grant.committed).toContainEqual(expect.objectContaining({ rendition: '720p', whole: true }));
    expect([grant.validated, grant.artifacts]).toEqual([['360p'], []]);
    const headers = { 'Reelwire-Lease': `main:${grant.lease}` };
    const answer = await call(`/internal/jobs/${id}/outputs/720p/t${first}/2.m4s`, { headers });
    expect([answer.status, await answer.text()]).toEqual([200, segmentText('720p', 2)]);
    const stale = await call(`/internal/jobs/${id}/outputs/720p/t${first}/2.m4s`, {
      headers: { 'Reelwire-Lease': `main:${first}` },
    });
    expect(await problemOf(stale)).toMatchObject({ code: 'lease_lost' });
  });
});

describe('fleet', () => {
  test('an announced transcoder counts in /health until it says goodbye', async () => {
    const announce = (busy: number | null) =>
      post('/internal/fleet', { transcoder: 'fleet-box', version: '1', slots: 3, busy });
    const health = async () => (await (await call('/health')).json<{ transcoders: unknown }>()).transcoders;
    await announce(1);
    await announce(2);
    expect(await health()).toEqual({ online: 1, busy: 2, slots: 3 });
    await announce(null);
    expect(await health()).toEqual({ online: 0, busy: 0, slots: 0 });
    expect(await problemOf(await post('/internal/fleet', { transcoder: 'a b', slots: 1 }))).toMatchObject({
      code: 'invalid_request',
    });
  });
});
