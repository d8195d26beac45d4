/** The job as JSON, its log as JSON, cancel and retry; and every address that is none. */
import { describe, expect, test } from 'vitest';
import { call, completedJob, finish, job, lease, makeOutputs, post, problemOf, submit } from './edge.ts';

describe('GET /jobs/:id', () => {
  test('shows every field of a finished job, absent ones as null', async () => {
    const id = await completedJob();
    const shown = await job(id);
    expect(shown).toMatchObject({
      id,
      key: 'clip',
      bucket: 'reelwire-output',
      status: 'completed',
      stage: 'completed',
      progress: 100,
      workflow_id: null,
      attempt: 1,
      eta_seconds: null,
      error_message: null,
      error: null,
      options: { quality: 'standard', ladder: null, mp4: false, retention_days: null, priority: 'normal' },
      metadata: {},
      playback: {
        hls: `/jobs/${id}/outputs/master.m3u8`,
        dash: `/jobs/${id}/outputs/manifest.mpd`,
        poster: null,
        storyboard: null,
        mp4: null,
      },
    });
    expect(shown.renditions.map(({ name, status, size_bytes, vmaf }) => [name, status, size_bytes > 0, vmaf])).toEqual([
      ['360p', 'stored', true, null],
      ['720p', 'stored', true, null],
    ]);
    expect(shown.latest_events).toHaveLength(10);
    expect(shown.latest_events.at(-1)).toMatchObject({ id: shown.last_event_id, event: 'complete', progress: 100 });
  });

  test('is 404 for an unknown job and leaves nothing behind', async () => {
    const id = crypto.randomUUID();
    for (const path of ['', '/stream', '/events', '/outputs/master.m3u8', '/outputs/720p/t1/1.m4s']) {
      expect([path, (await problemOf(await call(`/jobs/${id}${path}`))).code]).toEqual([path, 'job_not_found']);
    }
    for (const path of ['/cancel', '/retry'])
      expect((await problemOf(await post(`/jobs/${id}${path}`, {}))).code).toBe('job_not_found');
  });

  test.each(['42', 'not-a-uuid', `${crypto.randomUUID()}0`, '%00', '..%2f..'])('%j is invalid_job_id', async (id) => {
    expect(await problemOf(await call(`/jobs/${id}`))).toMatchObject({ status: 400, code: 'invalid_job_id' });
  });
});

describe('GET /jobs/:id/events', () => {
  type Page = { events: { seq: number; type: string }[] };
  const page = async (id: string, query = ''): Promise<Page> => (await call(`/jobs/${id}/events${query}`)).json();

  test('gives the visible log in pages', async () => {
    const id = await completedJob();
    const all = (await page(id)).events;
    expect(all.every(({ type }) => !type.startsWith('_'))).toBe(true);
    expect(all.at(-1)?.type).toBe('complete');
    const pages: Page['events'] = [];
    for (let after = 0; ; after = pages.at(-1)?.seq ?? 0) {
      const { events } = await page(id, `?after=${after}&limit=3`);
      if (events.length === 0) break;
      pages.push(...events);
    }
    expect(pages).toEqual(all);
  });

  test.each(['?limit=0', '?limit=1001', '?after=-1', '?after=x', '?colour=red'])(
    '%s is invalid_request',
    async (query) => {
      const id = await completedJob();
      expect(await problemOf(await call(`/jobs/${id}/events${query}`))).toMatchObject({
        status: 400,
        code: 'invalid_request',
      });
    },
  );
});

describe('cancel and retry', () => {
  test('are 202 where the state allows them, and 409 invalid_state elsewhere', async () => {
    const id = await submit();
    expect(await problemOf(await post(`/jobs/${id}/retry`, {}))).toMatchObject({ status: 409, code: 'invalid_state' });
    for (const _ of [1, 2]) expect((await post(`/jobs/${id}/cancel`, {})).status).toBe(202);
    expect((await post(`/jobs/${id}/retry`, {})).status).toBe(202);
    expect((await job(id)).status).toBe('pending');
    const done = await completedJob();
    for (const what of ['cancel', 'retry']) {
      const { code, detail } = await problemOf(await post(`/jobs/${done}/${what}`, {}));
      expect([code, detail.includes('completed')]).toEqual(['invalid_state', true]);
    }
  });

  test('a retried job runs to its end', async () => {
    const id = await submit();
    await post(`/jobs/${id}/cancel`, {});
    await post(`/jobs/${id}/retry`, {});
    const number = await lease(id);
    expect((await problemOf(await finish(id, number))).code).toBe('rendition_incomplete');
    await makeOutputs(id, number);
    expect((await finish(id, number)).status).toBe(200);
    expect((await job(id)).status).toBe('completed');
  });
});

describe('addresses that are none', () => {
  test.each([
    ['GET', '/nothing'],
    ['PUT', '/jobs'],
    ['GET', '/process'],
    ['DELETE', `/jobs/${crypto.randomUUID()}/stream`],
    ['POST', '/do/call/destroy'],
    ['GET', '/internal/jobs'],
  ])('%s %s', async (method, path) => {
    expect(await problemOf(await call(path, { method }))).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('the front door lists what there is', async () => {
    const text = await (await call('/')).text();
    for (const path of ['/process', '/stream', '/events', '/cancel', '/outputs/master.m3u8', '/health'])
      expect(text).toContain(path);
  });
});
