/** What players get: manifests while the job runs and after it, segments, ranges, validators, and the end of access. */
import { runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/durable/job/job.ts';
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

/** A job for tests that only read. */
let done: string;
beforeAll(async () => {
  done = await completedJob();
});

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
      for (const method of ['outputs', 'segment', 'artifact'] as const)
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
    const answer = await output(done, path);
    expect([path, answer.status === 404 || path.startsWith('../')]).toEqual([path, true]);
  });
});

describe('before the sign that all is final', () => {
  test('a completed job plays all the same, its playlists closed', async () => {
    const id = await completedJob();
    await env.OUTPUT.delete(`${id}/final`);
    expect(await (await output(id, 'audio/media.m3u8')).text()).toContain('#EXT-X-ENDLIST');
    for (const path of ['master.m3u8', 'manifest.mpd', '720p/t1/3.m4s'])
      expect((await output(id, path)).status).toBe(200);
  });

  test('manifests that were stored by a finish that came to nothing are not served after a cancel', async () => {
    const { id } = await runningJob();
    for (const path of ['master.m3u8', 'manifest.mpd', '360p/media.m3u8'])
      await env.OUTPUT.put(`${id}/${path}`, 'stored');
    await post(`/jobs/${id}/cancel`, {});
    for (const path of ['master.m3u8', 'manifest.mpd', '360p/media.m3u8', '360p/t1/1.m4s']) {
      expect(await problemOf(await output(id, path))).toMatchObject({ status: 410, code: 'job_cancelled' });
    }
  });
});

describe('artifacts', () => {
  test('are committed, verified, shown as playback, and served with their types', async () => {
    const { id, number } = await runningJob();
    await storeSegment(id, number, 'poster', 'poster.jpg', 'a picture');
    await storeSegment(id, number, 'storyboard', 'storyboard.vtt', 'WEBVTT');
    await storeSegment(id, number, 'storyboard', 'sheet-1.jpg', 'a sheet');
    expect((await output(id, 'poster/t1/poster.jpg')).status).toBe(404);
    const poster = { type: 'artifact' as const, name: 'poster' as const, files: [{ name: 'poster.jpg', bytes: 9 }] };
    const sheets = [
      { name: 'storyboard.vtt', bytes: 6 },
      { name: 'sheet-1.jpg', bytes: 8 },
    ];
    const storyboard = { type: 'artifact' as const, name: 'storyboard' as const, files: sheets };
    await report(id, number, 2, { entries: [poster, storyboard] });
    expect((await output(id, 'poster/t1/poster.jpg')).headers.get('Content-Type')).toBe('image/jpeg');
    expect(await problemOf(await finish(id, number))).toMatchObject({ code: 'outputs_missing' });
    await env.OUTPUT.put(`${id}/storyboard/t1/sheet-1.jpg`, '8 bytes.');
    expect((await finish(id, number)).status).toBe(200);
    const { playback, result } = await job(id);
    expect(playback.poster).toBe(`/jobs/${id}/outputs/poster/t1/poster.jpg`);
    expect(playback.mp4).toBeNull();
    const vtt = await call(playback.storyboard ?? '');
    expect([vtt.status, vtt.headers.get('Content-Type'), await vtt.text()]).toEqual([
      200,
      'text/vtt; charset=utf-8',
      'WEBVTT',
    ]);
    expect(result?.artifacts.map(({ name }) => name)).toContain('storyboard/sheet-1.jpg');
  });
});

describe('validators', () => {
  test.each<[string, (etag: string) => Record<string, string>, number]>([
    ['a weak tag', (etag) => ({ 'If-None-Match': `W/${etag}` }), 304],
    ['a list of tags', (etag) => ({ 'If-None-Match': `"other", ${etag}` }), 304],
    ['any tag', () => ({ 'If-None-Match': '*' }), 304],
    ['another tag', () => ({ 'If-None-Match': '"other"' }), 200],
    ['no tag at all', () => ({ 'If-None-Match': 'garbage' }), 200],
    ['the tag and a range that cannot be served', (etag) => ({ 'If-None-Match': etag, Range: 'bytes=99999-' }), 304],
    ['a range if the tag is the same', (etag) => ({ 'If-Range': etag, Range: 'bytes=0-1' }), 206],
    ['a range if a tag that is not the same', () => ({ 'If-Range': '"other"', Range: 'bytes=0-1' }), 200],
  ])('%s', async (_, headers, status) => {
    const etag = (await output(done, '720p/t1/3.m4s')).headers.get('ETag') ?? '';
    expect((await output(done, '720p/t1/3.m4s', headers(etag))).status).toBe(status);
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
    const answer = await output(done, '720p/t1/3.m4s', { Range: range });
    expect([answer.status, await answer.text(), answer.headers.get('Content-Range')]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  test.each([`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, 'bytes=0-1,4-5'])('%s -> 416', async (range) => {
    const answer = await output(done, '720p/t1/3.m4s', { Range: range });
    expect(answer.headers.get('Content-Range')).toBe(`bytes */${size}`);
    expect(await problemOf(answer)).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
  });

  test('HEAD gives the size and no body; a known ETag gives 304', async () => {
    const head = await call(`/jobs/${done}/outputs/720p/t1/3.m4s`, { method: 'HEAD' });
    expect([head.status, head.headers.get('Content-Length'), await head.text()]).toEqual([200, String(size), '']);
    const again = await output(done, '720p/t1/3.m4s', { 'If-None-Match': head.headers.get('ETag') ?? '' });
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
