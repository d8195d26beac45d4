/** Job tokens in each of their places, their end and the change of secrets; upload tokens and what they grant. */
import { createExecutionContext, runDurableObjectAlarm } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import { JobToken } from '../../src/contract/access.ts';
import type { Env } from '../../src/durable/env.ts';
import type { Description } from '../../src/durable/upload/stored.ts';
import { app } from '../../src/worker/app.ts';
import {
  bearer,
  betrayed,
  call,
  deploy,
  env,
  forged,
  jobToken,
  MASTER_TEXT,
  newJob,
  newKey,
  ORIGIN,
  playableJob,
  SEGMENT,
  secret,
  send,
  TOKEN_SECRET,
  uploadToken,
} from './closed.ts';
import { problemOf } from './edge.ts';
import { EventReader } from './events.ts';

let read = '';
let submit = '';
beforeAll(async () => {
  await deploy();
  read = (await newKey('read')).key;
  submit = (await newKey('submit')).key;
});

const status = async (path: string, headers: HeadersInit = {}): Promise<number> => {
  const answer = await call(path, { headers });
  await answer.body?.cancel();
  return answer.status;
};

describe('a job token', () => {
  test('lasts for a day unless another time is asked for', async () => {
    const job = await newJob();
    const lasts = async (body: object): Promise<number> => {
      const answer = JobToken.parse(await (await send(`/jobs/${job}/tokens`, read, body)).json());
      secret(answer.token ?? '');
      return Math.round((Date.parse(answer.expires_at) - Date.now()) / 1000);
    };
    expect(await lasts({ scopes: ['watch'] })).toBeGreaterThan(86_395);
    expect(await lasts({ scopes: ['play'], expires_in: 60 })).toBeLessThan(61);
  });

  test.each([
    [{}, { scopes: ['watch'] }],
    [{ scopes: [] }, { scopes: ['play'] }],
    [{ scopes: ['admin'] }, { scopes: ['watch', 'play'] }],
    [
      { scopes: ['watch'], expires_in: 0 },
      { scopes: ['watch'], expires_in: 1 },
    ],
    [
      { scopes: ['watch'], expires_in: 2_592_001 },
      { scopes: ['watch'], expires_in: 2_592_000 },
    ],
    [
      { scopes: ['watch'], cookie: true },
      { scopes: ['play'], cookie: true },
    ],
    [
      { scopes: ['watch'], job: 'another' },
      { scopes: ['watch'], cookie: false },
    ],
  ])('is not made of %j, but of %j', async (bad, good) => {
    const path = `/jobs/${await newJob()}/tokens`;
    expect(await problemOf(await send(path, read, bad))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect((await send(path, read, good)).status).toBe(201);
  });

  test('is not made for a job that is not there', async () => {
    const answer = await send(`/jobs/${crypto.randomUUID()}/tokens`, read, { scopes: ['watch'] });
    expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'job_not_found' });
  });

  test('is for what its scope says', async () => {
    const job = await playableJob();
    const [watch, play] = [await jobToken(job, read, ['watch']), await jobToken(job, read, ['play'])];
    const paths = [`/jobs/${job}`, `/jobs/${job}/stream`, `/jobs/${job}/outputs/master.m3u8`];
    const asked = (token: string) => Promise.all(paths.map((path) => status(path, bearer(token))));
    expect(await asked(watch)).toEqual([200, 200, 403]);
    expect(await asked(play)).toEqual([403, 403, 200]);
    expect([await status(`/play/${watch}/master.m3u8`), await status(`/play/${play}/master.m3u8`)]).toEqual([403, 200]);
  });

  test('opens streams from the query, where an EventSource has to put it, and nothing else from there', async () => {
    const job = await playableJob();
    const token = await jobToken(job, read);
    for (const path of [`/jobs/${job}/stream?`, `/streams?jobs=${job}&`]) {
      expect([path, await status(path), await status(`${path}token=${token}`)]).toEqual([path, 401, 200]);
      expect(await status(`${path}token=${token}x`)).toBe(401);
    }
    const accept = { Accept: 'text/event-stream' };
    expect(await status(`/jobs/${job}/events?token=${token}`, accept)).toBe(200);
    expect(await status(`/jobs/${job}?token=${token}`)).toBe(401);
    expect(await status(`/jobs/${job}/outputs/master.m3u8?token=${token}`)).toBe(401);
  });

  test('of one job shows nothing of another in a stream of several', async () => {
    const [mine, theirs] = [await newJob(), await newJob()];
    const token = await jobToken(mine, read);
    await env.JOB.getByName(theirs).cancel('a test');
    const answer = await call(`/streams?jobs=${theirs},${mine}`, { headers: bearer(token) });
    const reader = new EventReader(answer);
    await reader.until(({ event }) => event === 'status');
    await env.JOB.getByName(mine).cancel('a test');
    const events = await reader.rest();
    expect(events.at(-1)).toMatchObject({ event: 'cancelled', data: { job_id: mine } });
    expect(reader.raw).toContain(`event: unavailable\ndata: {"job_id":"${theirs}","code":"job_not_found"`);
    const all = new EventReader(await call(`/streams?jobs=${theirs},${mine}`, { headers: bearer(read) }));
    expect((await all.rest()).filter(({ event }) => event === 'cancelled')).toHaveLength(2);
  });

  test('in the path plays everything below it, by relative addresses', async () => {
    const job = await playableJob();
    const token = await jobToken(job, read, ['play']);
    const master = new URL(`/play/${token}/master.m3u8`, ORIGIN);
    expect(await (await call(master.pathname)).text()).toBe(MASTER_TEXT);
    const segment = await call(new URL(SEGMENT, master).pathname, { headers: { Range: 'bytes=0-2' } });
    expect([segment.status, await segment.text()]).toEqual([206, 'seg']);
    expect(segment.headers.get('Cache-Control')).toBe('private, max-age=31536000, immutable');
    expect(await status(`/play/${token}/720p/t1/2.m4s`)).toBe(404);
  });

  test('as a cookie plays this job in the browser, and is not shown', async () => {
    const [job, other] = [await playableJob(), await playableJob()];
    const answer = await send(`/jobs/${job}/tokens`, read, {
      scopes: ['watch', 'play'],
      cookie: true,
      expires_in: 600,
    });
    expect(JobToken.parse(await answer.json()).token).toBeNull();
    const [cookie = '', ...attributes] = (answer.headers.get('Set-Cookie') ?? '').split('; ');
    expect(attributes.sort()).toEqual(
      ['HttpOnly', 'Max-Age=600', `Path=/jobs/${job}/outputs`, 'SameSite=Strict', 'Secure'].sort(),
    );
    secret(cookie.split('=')[1] ?? '');
    expect(await status(`/jobs/${job}/outputs/master.m3u8`, { Cookie: cookie })).toBe(200);
    expect(await status(`/jobs/${other}/outputs/master.m3u8`, { Cookie: cookie })).toBe(404);
    expect(await status(`/jobs/${job}`, { Cookie: cookie })).toBe(403);
    expect(await status(`/jobs/${job}/outputs/master.m3u8`)).toBe(401);
  });

  test('in the query opens both forms of the log, which may not be asked for anything unknown', async () => {
    const job = await newJob();
    const token = await jobToken(job, read);
    expect(await status(`/jobs/${job}/events?after=0&token=${token}`)).toBe(200);
    expect(await status(`/jobs/${job}/events?token=${token}`, { Accept: 'text/event-stream' })).toBe(200);
    expect(await status(`/jobs/${job}/events?colour=red&token=${token}`)).toBe(400);
  });

  test('stays valid while the secret is being changed, and no longer', async () => {
    const job = await newJob();
    const token = await jobToken(job, read);
    const ask = async (settings: object): Promise<number> => {
      const request = new Request(`${ORIGIN}/jobs/${job}`, { headers: { Host: 'edge.example', ...bearer(token) } });
      return (await app.fetch(request, { ...env, ...settings }, createExecutionContext())).status;
    };
    expect(await ask({})).toBe(200);
    expect(await ask({ TOKEN_SECRET: 'new', TOKEN_SECRET_PREVIOUS: TOKEN_SECRET })).toBe(200);
    expect(await ask({ TOKEN_SECRET: 'new', TOKEN_SECRET_PREVIOUS: '' })).toBe(401);
  });

  test.each<[string, object]>([
    ['without an end', { exp: undefined }],
    ['whose end is no number', { exp: '9999999999' }],
    ['for another audience', { aud: 'session' }],
    ['without an audience', { aud: undefined }],
    ['for no job', { sub: undefined }],
    ['with a scope that there is not', { scopes: ['watch', 'admin'] }],
  ])('%s is none, though we have signed it', async (_, claims) => {
    const job = await newJob();
    expect(await status(`/jobs/${job}`, bearer(await forged(job, {})))).toBe(200);
    expect(await status(`/jobs/${job}`, bearer(await forged(job, { claims })))).toBe(401);
  });
});

describe('an upload token', () => {
  const bytes = (token: string, body: string | Uint8Array<ArrayBuffer>, query = ''): Promise<Response> =>
    call(`/process${query}`, {
      method: 'POST',
      body,
      headers: { ...bearer(token), 'Content-Type': 'application/octet-stream' },
    });

  const job = async (answer: Response): Promise<Record<string, unknown>> => {
    expect(answer.status).toBe(202);
    const { job_id } = await answer.json<{ job_id: string }>();
    return (await call(`/jobs/${job_id}`, { headers: bearer(read) })).json();
  };

  test('brings one video, labelled and made as it says', async () => {
    const token = await uploadToken(submit, { max_bytes: 1000, key: 'theirs', options: { ladder: [360] } });
    const options = encodeURIComponent('{"ladder":[1080],"priority":"high"}');
    const made = await job(await bytes(token, 'video', `?key=mine&options=${options}`));
    expect(made).toMatchObject({ key: 'theirs', options: { ladder: [360], priority: 'normal' } });
    expect(await problemOf(await bytes(token, 'video'))).toMatchObject({ status: 409, code: 'token_used' });
  });

  test('leaves to the sender what it does not say', async () => {
    const token = await uploadToken(submit);
    expect(await job(await bytes(token, 'video', '?key=mine'))).toMatchObject({ key: 'mine' });
  });

  test('counts for a form as well', async () => {
    const form = new FormData();
    form.append('video', new File(['video'], 'mine.mp4'));
    form.append('key', 'mine');
    const token = await uploadToken(submit, { max_bytes: 5, key: 'theirs' });
    const answer = await call('/process', { method: 'POST', body: form, headers: bearer(token) });
    expect(await job(answer)).toMatchObject({ key: 'theirs' });
  });

  test('lets no more bytes in than it says, and is not spent by what was refused', async () => {
    const token = await uploadToken(submit, { max_bytes: 10 });
    expect(await problemOf(await bytes(token, 'x'.repeat(11)))).toMatchObject({ status: 413, code: 'too_large' });
    const form = new FormData();
    form.append('video', new File(['x'.repeat(11)], 'long.mp4'));
    const long = await call('/process', { method: 'POST', body: form, headers: bearer(token) });
    expect(await problemOf(long)).toMatchObject({ code: 'too_large' });
    expect((await bytes(token, 'x'.repeat(10))).status).toBe(202);
  });

  test('is not spent by a video that was given up before it could become a job', async () => {
    const token = await uploadToken(submit);
    const UPLOAD = {
      getByName: (id: string) => {
        const object = env.UPLOAD.getByName(id);
        return {
          begin: (id: string) => object.begin(id),
          addPart: (part: R2UploadedPart, size: number) => object.addPart(part, size),
          abort: () => object.abort(),
          /** Too late: its alarm has found it silent. */
          complete: async (id: string, description: Description) => {
            await runDurableObjectAlarm(object);
            return object.complete(id, description);
          },
        };
      },
    };
    const headers = { ...bearer(token), Host: 'edge.example', 'Content-Type': 'video/mp4', 'Content-Length': '5' };
    const late = await app.fetch(
      new Request(`${ORIGIN}/process`, { method: 'POST', body: 'video', headers }),
      { ...env, UPLOAD: UPLOAD as unknown as Env['UPLOAD'] },
      createExecutionContext(),
    );
    expect(await problemOf(late)).toMatchObject({ code: 'body_incomplete' });
    expect((await bytes(token, 'video')).status).toBe(202);
    expect(await problemOf(await bytes(token, 'video'))).toMatchObject({ code: 'token_used' });
  });

  test('brings one video though several come at once', async () => {
    const token = await uploadToken(submit);
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((body) => bytes(token, body)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409, 409, 409]);
    const { objects } = await env.INPUT.list();
    const sizes = await Promise.all(objects.map(({ key }) => env.JOB.getByName(key.split('/')[0] ?? '').view()));
    expect(sizes.every((view) => view !== null)).toBe(true);
  });

  test('is remembered for longer than an upload that began with it may take', async () => {
    const token = await uploadToken(submit, { max_bytes: 10, expires_in: 60 });
    await env.DB.prepare('DELETE FROM spent_tokens').run();
    expect((await bytes(token, 'video')).status).toBe(202);
    const until = await env.DB.prepare('SELECT expires_at FROM spent_tokens').first<number>('expires_at');
    expect((until ?? 0) - Date.now() / 1000).toBeGreaterThan(7 * 86_400);
    expect(await problemOf(await bytes(token, 'video'))).toMatchObject({ code: 'token_used' });
  });

  test('says in the log of the job who gave it out', async () => {
    const made = await job(await bytes(await uploadToken(submit), 'video'));
    expect(JSON.stringify(made.latest_events)).toContain('an upload token of key submit-bot');
  });

  test.each([
    [{}, { max_bytes: 1 }],
    [{ max_bytes: 0 }, { max_bytes: 1 }],
    [
      { max_bytes: 1, key: 'a\u0007' },
      { max_bytes: 1, key: 'a' },
    ],
    [
      { max_bytes: 1, options: { ladder: [] } },
      { max_bytes: 1, options: { ladder: [360] } },
    ],
    [
      { max_bytes: 1, colour: 'red' },
      { max_bytes: 1, expires_in: 60 },
    ],
  ])('is not made of %j, but of %j', async (bad, good) => {
    expect(await problemOf(await send('/uploads/tokens', submit, bad))).toMatchObject({ code: 'invalid_request' });
    expect((await send('/uploads/tokens', submit, good)).status).toBe(201);
  });

  test('is remembered only until it would have expired by itself', async () => {
    const count = () => env.DB.prepare('SELECT count(*) AS n FROM spent_tokens WHERE expires_at < 1000').first('n');
    await env.DB.prepare(`INSERT INTO spent_tokens VALUES ('long-ago', 1)`).run();
    expect(await count()).toBe(1);
    expect((await bytes(await uploadToken(submit), 'video')).status).toBe(202);
    expect(await count()).toBe(0);
  });
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(50);
});
