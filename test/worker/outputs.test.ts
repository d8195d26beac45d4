/** What players get: manifests while the job runs and after it, segments, ranges, validators, and the end of access. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import type { Job } from '../../src/durable/job/job.ts';
import { PLAN } from '../unit/commands.ts';
import {
  call,
  completedJob,
  env,
  job,
  lease,
  makeOutputs,
  post,
  problemOf,
  report,
  segmentText,
  storeSegment,
  submit,
} from './edge.ts';

const output = (id: string, path: string, headers: Record<string, string> = {}) =>
  call(`/jobs/${id}/outputs/${path}`, { headers });

/** A job whose first segments are committed; its renditions are not whole. */
async function runningJob(): Promise<{ id: string; number: number }> {
  const id = await submit();
  const number = await lease(id);
  await makeOutputs(id, number);
  return { id, number };
}

describe('while the job runs', () => {
  test('manifests are rendered, never cached without asking, and 304 when nothing is new', async () => {
    const { id } = await runningJob();
    const answer = await output(id, '360p/media.m3u8');
    expect(answer.headers.get('Cache-Control')).toBe('no-cache');
    expect(answer.headers.get('Content-Type')).toBe('application/vnd.apple.mpegurl');
    expect(await answer.text()).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    const again = await output(id, '360p/media.m3u8', { 'If-None-Match': answer.headers.get('ETag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  test('there is no MPD yet, and no manifest at all before anything is committed', async () => {
    const { id } = await runningJob();
    expect(await problemOf(await output(id, 'manifest.mpd'))).toMatchObject({ status: 404, code: 'not_found' });
    const fresh = await submit();
    expect(await problemOf(await output(fresh, 'master.m3u8'))).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('a stored segment is there for readers only after its commit', async () => {
    const id = await submit();
    const number = await lease(id);
    await storeSegment(id, number, 'audio', '1.m4s', 'sound');
    const path = `audio/t${number}/1.m4s`;
    expect(await problemOf(await output(id, path))).toMatchObject({ status: 404, code: 'not_found' });
    const commit = { rendition: 'audio', n: 1, duration: 4, bytes: 5, sha256: 'a'.repeat(64), keyframe: null };
    await report(id, number, 1, { entries: [{ type: 'plan', plan: PLAN }], commits: [commit] });
    const answer = await output(id, path);
    expect([answer.status, await answer.text()]).toEqual([200, 'sound']);
    expect(answer.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
  });

  test('what a lost lease wrote late is not to be had', async () => {
    const { id, number } = await runningJob();
    await env.OUTPUT.put(`${id}/360p/t${number}/9.m4s`, 'late');
    expect((await output(id, `360p/t${number}/9.m4s`)).status).toBe(404);
    expect((await output(id, `360p/t${number}/3.m4s`)).status).toBe(200);
  });
});

describe('after completion', () => {
  test('everything is served without the job object', async () => {
    const id = await completedJob();
    await runInDurableObject(env.JOB.getByName(id), async (instance: Job, { storage }) => {
      await storage.deleteAll();
      for (const method of ['outputs', 'segment'] as const)
        Object.defineProperty(instance, method, { value: undefined });
    });
    for (const path of [
      'master.m3u8',
      'manifest.mpd',
      '720p/media.m3u8',
      '720p/iframes.m3u8',
      'audio/media.m3u8',
      '720p/t1/3.m4s',
    ]) {
      expect([path, (await output(id, path)).status]).toEqual([path, 200]);
    }
    expect(await (await output(id, 'audio/media.m3u8')).text()).toContain('#EXT-X-ENDLIST');
    expect((await output(id, 'manifest.mpd')).headers.get('Content-Type')).toBe('application/dash+xml');
  });

  test.each([
    '',
    'x',
    'master.m3u8/',
    '720p',
    '720p/',
    '720p/x.m3u8',
    'audio/iframes.m3u8',
    '720p/t1/',
    '720p/t0/1.m4s',
    '720p/t1/9.m4s',
    '144p/media.m3u8',
    '../../../health',
    '720p/t1/..%2f1.m4s',
    '%2e%2e/source',
  ])('there is no output %j', async (path) => {
    const id = await completedJob();
    const answer = await output(id, path);
    expect([path, answer.status === 404 || path.startsWith('../')]).toEqual([path, true]);
  });
});

describe('ranges', () => {
  const text = segmentText('720p', 3);
  const size = text.length;

  test.each<[string, number, string, string | null]>([
    ['bytes=0-0', 206, text.slice(0, 1), `bytes 0-0/${size}`],
    ['bytes=5-9', 206, text.slice(5, 10), `bytes 5-9/${size}`],
    ['bytes=5-', 206, text.slice(5), `bytes 5-${size - 1}/${size}`],
    ['bytes=-4', 206, text.slice(-4), `bytes ${size - 4}-${size - 1}/${size}`],
    [`bytes=0-${size * 2}`, 206, text, `bytes 0-${size - 1}/${size}`],
    ['lines=1-2', 200, text, null],
    ['nonsense', 200, text, null],
  ])('%s -> %i', async (range, status, body, contentRange) => {
    const answer = await output(await completedJob(), '720p/t1/3.m4s', { Range: range });
    expect([answer.status, await answer.text(), answer.headers.get('Content-Range')]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  test.each([`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, 'bytes=0-1,4-5'])('%s -> 416', async (range) => {
    const answer = await output(await completedJob(), '720p/t1/3.m4s', { Range: range });
    expect(answer.headers.get('Content-Range')).toBe(`bytes */${size}`);
    expect(await problemOf(answer)).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
  });

  test('HEAD gives the size and no body; a known ETag gives 304', async () => {
    const id = await completedJob();
    const head = await call(`/jobs/${id}/outputs/720p/t1/3.m4s`, { method: 'HEAD' });
    expect([head.status, head.headers.get('Content-Length'), await head.text()]).toEqual([200, String(size), '']);
    const again = await output(id, '720p/t1/3.m4s', { 'If-None-Match': head.headers.get('ETag') ?? '' });
    expect(again.status).toBe(304);
  });
});

describe('after a run without success', () => {
  test.each<[string, (id: string, number: number) => Promise<unknown>]>([
    ['job_cancelled', (id) => post(`/jobs/${id}/cancel`, {})],
    [
      'job_failed',
      (id, lease) =>
        post(`/internal/jobs/${id}/finish`, { lease, error: { code: 'no_video', message: '', retryable: false } }),
    ],
  ])('media answers 410 %s', async (code, end) => {
    const { id, number } = await runningJob();
    expect((await output(id, `360p/t${number}/1.m4s`)).status).toBe(200);
    await end(id, number);
    for (const path of ['master.m3u8', 'manifest.mpd', '360p/media.m3u8', `360p/t${number}/1.m4s`]) {
      expect(await problemOf(await output(id, path))).toMatchObject({ status: 410, code });
    }
    expect((await job(id)).playback).toMatchObject({ hls: null, dash: null });
  });
});
