/** One test for each way in that has been tried on servers like this one; beside each, what a rightful caller gets. */
import { createExecutionContext } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/contract/access.ts';
import { Accepted } from '../../src/contract/api.ts';
import { app } from '../../src/worker/app.ts';
import {
  bearer,
  betrayed,
  call,
  deploy,
  env,
  expired,
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
  TRANSCODER_TOKEN,
  uploadToken,
} from './closed.ts';
import { problemOf } from './edge.ts';
import { EventReader } from './events.ts';

let submit = '';
let admin = '';
beforeAll(async () => {
  await deploy();
  submit = (await newKey('submit')).key;
  admin = (await newKey('admin')).key;
});

const get = (path: string, token: string): Promise<Response> => call(path, { headers: bearer(token) });

const status = async (answer: Promise<Response>): Promise<number> => {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
};

const base64url = (text: string): string =>
  new TextEncoder().encode(text).toBase64({ alphabet: 'base64url', omitPadding: true });

describe('tokens', () => {
  test('of job A on job B', async () => {
    const [a, b] = [await playableJob(), await playableJob()];
    const token = await jobToken(a, submit);
    for (const path of ['', '/stream', '/events', '/outputs/master.m3u8', `/outputs/${SEGMENT}`]) {
      expect([path, await status(get(`/jobs/${a}${path}`, token))]).toEqual([path, 200]);
      expect(await problemOf(await get(`/jobs/${b}${path}`, token))).toMatchObject({ code: 'job_not_found' });
    }
    for (const spelling of [b.toUpperCase(), `${a}/../${b}`, `${a}/..%2f${b}`, `%2e%2e/jobs/${b}`]) {
      expect([spelling, await status(get(`/jobs/${spelling}`, token))]).toEqual([spelling, 404]);
    }
    expect(await status(get(`/jobs/${a.toUpperCase()}`, token))).toBe(200);
  });

  test('with the algorithm none, or another one than ours', async () => {
    const job = await newJob();
    const exp = Math.floor(Date.now() / 1000) + 60;
    const claims = base64url(JSON.stringify({ aud: 'job', sub: job, scopes: ['watch'], exp }));
    for (const alg of ['none', 'None', 'NONE', '', 'HS256']) {
      const head = base64url(JSON.stringify({ alg, typ: 'JWT' }));
      for (const token of [`${head}.${claims}.`, `${head}.${claims}`, `${head}.${claims}.AAAA`]) {
        expect([alg, await status(get(`/jobs/${job}`, token))]).toEqual([alg, 401]);
      }
    }
    expect(await status(get(`/jobs/${job}`, await forged(job, { alg: 'HS512' })))).toBe(401);
    expect(await status(get(`/jobs/${job}`, await forged(job, { alg: 'HS256' })))).toBe(200);
  });

  test('signed with a secret that is not ours, or changed after it was', async () => {
    const job = await newJob();
    const token = await forged(job);
    const [head = '', claims = '', signature = ''] = token.split('.');
    const other = base64url(atob(claims.replaceAll('-', '+').replaceAll('_', '/')).replace('watch', 'admin'));
    const guesses = ['secret', 'open mode', TRANSCODER_TOKEN, job];
    const signed = await Promise.all(guesses.map((signer) => forged(job, { signer })));
    for (const bad of [...signed, `${head}.${other}.${signature}`, `${head}.${claims}.${signature.slice(1)}`]) {
      expect(await status(get(`/jobs/${job}`, bad))).toBe(401);
    }
    expect(await status(get(`/jobs/${job}`, token))).toBe(200);
  });

  test('after their end', async () => {
    const job = await playableJob();
    const old = await expired(job);
    const paths = (token: string) => [`/jobs/${job}/stream?token=${token}`, `/play/${token}/master.m3u8`];
    for (const path of paths(old)) expect(await status(call(path))).toBe(401);
    expect(await status(get(`/jobs/${job}`, old))).toBe(401);
    for (const path of paths(await forged(job))) expect(await status(call(path))).toBe(200);
  });

  test('for one use in the place of another', async () => {
    const job = await playableJob();
    const upload = await uploadToken(submit);
    expect(await status(get(`/jobs/${job}`, upload))).toBe(403);
    expect(await status(call(`/play/${upload}/master.m3u8`))).toBe(403);
    const play = await jobToken(job, submit);
    const headers = { ...bearer(play), 'Content-Type': 'application/octet-stream' };
    expect(await status(call('/process', { method: 'POST', body: 'x', headers }))).toBe(403);
    expect(await status(send(`/jobs/${job}/tokens`, play, { scopes: ['watch'] }))).toBe(403);
    expect(
      await status(call('/process', { method: 'POST', body: 'x', headers: { ...headers, ...bearer(upload) } })),
    ).toBe(202);
  });
});

describe('keys', () => {
  test('in any place but the Authorization header', async () => {
    const job = await playableJob();
    const places: [string, HeadersInit][] = [
      [`/jobs/${job}?token=${admin}`, {}],
      [`/jobs/${job}/stream?token=${admin}`, {}],
      [`/jobs/${job}?key=${admin}`, {}],
      [`/jobs/${job}?access_token=${admin}`, {}],
      [`/play/${admin}/master.m3u8`, {}],
      [`/jobs/${job}`, { 'X-Api-Key': admin }],
      [`/jobs/${job}`, { Cookie: `reelwire_session=${admin}` }],
      [`/jobs/${job}/outputs/master.m3u8`, { Cookie: `reelwire_play=${admin}` }],
      [`/jobs/${job}`, { 'Proxy-Authorization': `Bearer ${admin}` }],
    ];
    for (const [path, headers] of places) expect([path, await status(call(path, { headers }))]).toEqual([path, 401]);
    expect(await status(get(`/jobs/${job}`, admin))).toBe(200);
  });

  test('by their digest or their id, which a leaked database holds', async () => {
    const { id, key } = await newKey('admin');
    const digest = secret(await digestOf(key));
    for (const bad of [digest, `rw_${id}_${digest.slice(0, 48)}`, `rw_${id}_`, id, `rw_${id}_${'%'.repeat(48)}`]) {
      expect(await status(get('/keys', bad))).toBe(401);
    }
    expect(await status(get('/keys', key))).toBe(200);
  });

  test('of a lower role for what needs a higher one', async () => {
    const job = await newJob();
    expect(await status(send('/keys', submit, { name: 'mine', role: 'admin' }))).toBe(403);
    expect(await status(send(`/jobs/${job}`, submit, {}, 'DELETE'))).toBe(403);
    expect(await status(send(`/jobs/${job}`, admin, {}, 'DELETE'))).toBe(202);
  });

  test('with SQL in them', async () => {
    for (const bad of [`rw_' OR '1'='1_`, `rw_000000000000_' OR 1=1 --`]) {
      expect(await status(call('/keys', { headers: { Authorization: `Bearer ${bad}` } }))).toBe(401);
    }
    expect(await status(get(`/jobs?q=${encodeURIComponent("' OR 1=1 --")}`, submit))).toBe(200);
  });
});

describe('paths', () => {
  test('that climb out of the outputs of a job, encoded once, twice or not at all', async () => {
    const [mine, theirs] = [await playableJob(), await playableJob()];
    await env.INPUT.put(`${mine}/source`, 'the source');
    const token = await jobToken(mine, submit);
    const climbs = [
      `../../${theirs}/outputs/master.m3u8`,
      `..%2f..%2f${theirs}%2foutputs%2fmaster.m3u8`,
      `%2e%2e/%2e%2e/${theirs}/outputs/master.m3u8`,
      `%252e%252e%252f${theirs}%252fmaster.m3u8`,
      `..%5c..%5c${theirs}%5cmaster.m3u8`,
      `../${theirs}/master.m3u8`,
      `%2e%2e%2f${theirs}%2fmaster.m3u8`,
      '../source',
      '%2e%2e%2fsource',
      'final',
      `720p/t1/..%2f..%2f..%2f${theirs}%2f720p%2ft1%2f1.m4s`,
      '720p/t1/1.m4s%00.jpg',
      '720p//t1/1.m4s',
      '720p/./t1/%2e/1.m4s/',
      `/outputs/../../${theirs}/outputs/master.m3u8`,
    ];
    for (const climb of climbs) {
      const [outputs, play] = [
        await get(`/jobs/${mine}/outputs/${climb}`, token),
        await call(`/play/${token}/${climb}`),
      ];
      for (const answer of [outputs, play]) {
        expect([climb, [400, 401, 404].includes(answer.status)]).toEqual([climb, true]);
        expect(await answer.text()).not.toMatch(/#EXTM3U|segment|the source/);
      }
    }
    for (const path of [`/jobs/${mine}/outputs/master.m3u8`, `/play/${token}/master.m3u8`]) {
      expect(await (await get(path, token)).text()).toBe(MASTER_TEXT);
    }
  });

  test('in the key of a job, which is a label and nothing else', async () => {
    const form = new FormData();
    form.append('video', new File(['bytes'], '../../../etc/passwd'));
    const bare = (key: string) =>
      call(`/process?key=${key}`, {
        method: 'POST',
        body: 'bytes',
        headers: { ...bearer(submit), 'Content-Type': 'application/octet-stream' },
      });
    const sent = [
      bare('../../other/source'),
      bare('..%2f..%2fother%2fsource'),
      bare('%252e%252e%252fother'),
      call('/process', { method: 'POST', body: form, headers: bearer(submit) }),
    ];
    for (const answer of await Promise.all(sent)) {
      const { job_id } = await answer.json<{ job_id: string }>();
      expect((await env.INPUT.list({ prefix: `${job_id}/` })).objects.map(({ key }) => key)).toEqual([
        `${job_id}/source`,
      ]);
    }
    expect((await env.INPUT.list()).objects.every(({ key }) => /^[0-9a-f-]{36}\/source$/.test(key))).toBe(true);
  });

  test('of itty-durable, which would run any method of the registry', async () => {
    const calls = [
      '/do/call/online',
      '/do/call/announce',
      '/do/call/destroy',
      '/do/get/transcoders',
      '/do/set/transcoders',
    ];
    for (const path of [
      ...calls,
      ...calls.map((one) => `/internal/fleet${one}`),
      ...calls.map((one) => `/fleet${one}`),
    ]) {
      for (const method of ['GET', 'POST', 'PUT']) {
        const headers = { ...bearer(admin), 'do-content': '[]', 'itty-durable-content': '[]' };
        expect([path, await status(call(path, { method, headers }))]).toEqual([path, 404]);
        expect(await status(call(path, { method, headers: bearer(TRANSCODER_TOKEN) }))).toBe(404);
      }
    }
    const fleet = { transcoder: 'box', version: '1', slots: 1, busy: 0 };
    expect(await status(send('/internal/fleet', TRANSCODER_TOKEN, fleet))).toBe(200);
  });
});

describe('texts', () => {
  const bare = (query: Record<string, string>): Promise<Response> =>
    call(`/process?${new URLSearchParams(query)}`, {
      method: 'POST',
      body: 'bytes',
      headers: { ...bearer(submit), 'Content-Type': 'application/octet-stream' },
    });

  test('in the key that would end a header or an event', async () => {
    for (const key of ['a\r\nSet-Cookie: b=c', 'a\nevent: complete', 'a\0b', 'a\u0085b', '\u007f']) {
      expect(await problemOf(await bare({ key }))).toMatchObject({ status: 400, code: 'invalid_field' });
    }
    const label = 'a%0d%0aSet-Cookie: b=c \u2028 ☃ "<script>';
    const answer = await bare({ key: label });
    expect([answer.status, answer.headers.get('Set-Cookie')]).toEqual([202, null]);
    const { job_id } = await answer.json<{ job_id: string }>();
    expect(await (await get(`/jobs/${job_id}`, submit)).json()).toMatchObject({ key: label });
  });

  test('in the metadata that would make events of their own', async () => {
    const metadata = { note: 'x\r\n\r\nevent: complete\ndata: {}\n\nid: 999\n\n' };
    const answer = await bare({ key: 'clip', metadata: JSON.stringify(metadata) });
    const { job_id } = await answer.json<{ job_id: string }>();
    expect(await (await get(`/jobs/${job_id}`, submit)).json()).toMatchObject({ metadata });
    await env.JOB.getByName(job_id).cancel('a test');
    const reader = new EventReader(await get(`/jobs/${job_id}/stream`, submit));
    const events = await reader.rest();
    expect(events.map(({ event }) => event)).toEqual(['status', 'cancelled']);
    expect(events[0]?.data).toMatchObject({ metadata });
    expect(reader.raw).not.toContain('\r');
  });

  test('in headers that come back: the request id', async () => {
    const echoed = async (id: string) =>
      (await call('/health', { headers: { 'X-Request-Id': id } })).headers.get('X-Request-Id');
    expect(await echoed('mine-1')).toBe('mine-1');
    for (const id of ['<script>', 'a b', 'x'.repeat(300), 'a;b']) expect(await echoed(id)).not.toBe(id);
  });

  test('of JSON that is longer than anybody has to say', async () => {
    const name = (length: number) => ({ name: 'x'.repeat(length), role: 'read' });
    const padded = (bytes: number) => `{"name":"long","role":"read"${' '.repeat(bytes)}}`;
    const post = (body: BodyInit) => call('/keys', { method: 'POST', body, headers: bearer(admin) });
    expect(await problemOf(await post(padded(4 * 2 ** 20)))).toMatchObject({ status: 413, code: 'too_large' });
    expect(await problemOf(await send('/keys', admin, name(2 ** 20)))).toMatchObject({ status: 400 });
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(2 ** 16).fill(32)),
    });
    expect(await problemOf(await post(endless))).toMatchObject({ status: 413 });
    expect((await post(padded(1000))).status).toBe(201);
  });

  test('of JSON that is deeper than anybody has to say', async () => {
    const deep = (open: string, close: string) => open.repeat(200_000) + close.repeat(200_000);
    const post = (path: string, body: string) => call(path, { method: 'POST', body, headers: bearer(admin) });
    for (const body of [
      deep('[', ']'),
      `{"name":${deep('[', ']')},"role":"read"}`,
      deep('{"a":', '}'),
      deep('[', ''),
    ]) {
      expect(await problemOf(await post('/keys', body))).toMatchObject({ status: 400, code: 'invalid_request' });
    }
    const metadata = `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`;
    expect(await problemOf(await bare({ metadata }))).toMatchObject({ code: 'invalid_field' });
    expect((await post('/keys', '{"name":"flat","role":"read"}')).status).toBe(201);
    expect(await status(bare({ metadata: '{"a":"b"}' }))).toBe(202);
  });

  test('of JSON that would change what all objects have', async () => {
    const body =
      '{"name":"proto","role":"read","__proto__":{"role":"admin"},"constructor":{"prototype":{"role":"admin"}}}';
    const post = (text: string) => call('/keys', { method: 'POST', body: text, headers: bearer(admin) });
    expect((await post(body)).status).toBe(400);
    expect(({} as { role?: string }).role).toBeUndefined();
    expect((await post('{"name":"proto","role":"read"}')).status).toBe(201);
  });
});

describe('sources', () => {
  test('at addresses inside, whoever asks for them; and a job that nobody may ask for', async () => {
    const source = (url: string, token: string) => send('/jobs', token, { source: { url } });
    for (const url of [
      ...['http://localhost:8787/keys', 'http://127.0.0.1:8787/keys', 'http://[::1]:8787/', 'http://2130706433/'],
      ...['http://169.254.169.254/latest/meta-data', 'http://metadata.google.internal/', 'http://0x7f.1/'],
    ]) {
      const problem = { code: 'url_refused', detail: expect.not.stringContaining('.dev.vars') };
      expect([url, await problemOf(await source(url, admin))]).toMatchObject([url, problem]);
    }
    const signed = `http://93.184.215.14/x.mp4?signature=${secret('the-signature-of-a-source')}`;
    for (const token of [await uploadToken(submit), await jobToken(await newJob(), submit)]) {
      expect(await status(source(signed, token))).toBe(403);
    }
    const answer = await source(signed, submit);
    expect(answer.status).toBe(202);
    const { job_id } = Accepted.parse(await answer.json());
    expect(await (await get(`/jobs/${job_id}/events`, admin)).text()).not.toContain('signature');
    await send(`/jobs/${job_id}`, admin, {}, 'DELETE');
  });
});

describe('pages of other sites', () => {
  test('that post to an open server under a name of their own', async () => {
    const post = (Host: string, Origin: string) =>
      app.fetch(
        new Request('http://localhost:8787/process?key=x', {
          method: 'POST',
          body: 'bytes',
          headers: { Host, Origin, 'Content-Length': '5', 'Content-Type': 'application/octet-stream' },
        }),
        { ...env, REELWIRE_OPEN: '1', TOKEN_SECRET: '' },
        createExecutionContext(),
      );
    for (const host of [
      'evil.example',
      'evil.example:8787',
      'localhost.evil.example',
      '0.0.0.0:8787',
      '[::ffff:7f00:1]',
    ]) {
      expect(await problemOf(await post(host, `http://${host}`))).toMatchObject({ status: 403, code: 'access_closed' });
    }
    expect((await post('localhost:8787', 'http://localhost:8787')).status).toBe(202);
  });

  test('that are not named may not read an answer, though they may ask', async () => {
    const ask = (Origin: string) => call('/health', { headers: { Origin } });
    expect((await ask('https://evil.example')).headers.get('Access-Control-Allow-Origin')).toBeNull();
    expect((await ask(ORIGIN)).status).toBe(200);
  });
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(50);
});
