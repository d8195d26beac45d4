/** `POST /jobs`, and what becomes of a source that is fetched from a URL. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import { Accepted } from '../../src/contract/api.ts';
import { JobOptions } from '../../src/contract/job.ts';
import { UploadStore } from '../../src/durable/upload/store.ts';
import { fetchSlice } from '../../src/worker/fetch/slice.ts';
import { BY_ANSWER, OUTRIGHT } from '../unit/addresses.ts';
import { fire, secondsUntil, timer, withBindings } from './clock.ts';
import { call, env, job, keys, post, problemOf } from './edge.ts';
import { bytes, digest, head, PART, patch, stored } from './tus.ts';
import { upload } from './upload-object.ts';
import { arrived, HOOK, internet, provideInternet } from './webhooks-internet.ts';

provideInternet();

const URL_OF = 'https://hooks.example.com/films/my%20clip.mp4?signature=hush-hush';
const VIDEO = { 'Content-Type': 'video/mp4' };

const submit = (url: string, more: object = {}): Promise<Response> => post('/jobs', { source: { url }, ...more });

const idOf = async (answer: Response): Promise<string> => Accepted.parse(await answer.json()).job_id;

const fetched = async (): Promise<string> => idOf(await submit(URL_OF));

const until = async (id: string, status: string): Promise<void> => {
  await expect.poll(async () => (await job(id)).status, { timeout: 10_000 }).toBe(status);
};

const untilWhole = async (id: string): Promise<void> => {
  const last = async () => (await job(id)).latest_events.at(-1)?.message;
  await expect.poll(last, { timeout: 10_000 }).toBe('Waiting for a transcoder');
};

const serving =
  (body: string, init: ResponseInit = {}) =>
  () =>
    new Response(body, { headers: { ...VIDEO, 'Content-Length': String(body.length) }, ...init });

/** What the server of the source says, and its bytes. */
const found = (length: number | null) => ({ length, etag: null, last_modified: null, content_type: 'video/mp4' });
const said = (text: string) => new Response(text).body ?? new ReadableStream();

const LOST = { FETCH_QUEUE: { send: async () => {} } };

/** A job whose messages are lost. */
async function unheard(): Promise<string> {
  const job_id = crypto.randomUUID();
  await withBindings(job_id, LOST);
  await env.JOB.getByName(job_id).create({
    ...{ job_id, key: 'clip', bucket: 'reelwire-output', metadata: {}, by: 'a test', source: null, url: URL_OF },
    options: JobOptions.parse({}),
  });
  return job_id;
}

describe('POST /jobs', () => {
  test('answers like POST /process, and the source is stored as it was served', async () => {
    internet.answer = () => new Response(bytes(0, PART + 5), { headers: VIDEO });
    const options = { quality: 'high', ladder: [360], mp4: true };
    const answer = await submit(URL_OF, { options, metadata: { of: 'zoë' } });
    expect(answer.status).toBe(202);
    const { job_id: id, ...rest } = Accepted.parse(await answer.json());
    const at = `http://localhost:8787/jobs/${id}`;
    expect(rest).toEqual({ message: 'Video processing started', status_url: at, stream_url: `${at}/stream` });
    await untilWhole(id);
    expect(await stored(id)).toBe(await digest(bytes(0, PART + 5)));
    const made = await job(id);
    expect(made).toMatchObject({ key: 'my clip.mp4', options, metadata: { of: 'zoë' }, status: 'pending' });
    const messages = made.latest_events.map(({ message }) => message);
    expect(messages.slice(0, 3)).toEqual(['Job created', 'Fetching the source', 'Fetching the source']);
    expect(messages.at(-1)).toBe('Waiting for a transcoder');
    const grant = await post(`/internal/jobs/${id}/lease`, { task: 'main', transcoder: 'box', request_id: 'r1' });
    expect(await grant.json()).toMatchObject({ source: { size_bytes: PART + 5, content_type: 'video/mp4' } });
  });

  test.each<[string, unknown, string]>([
    ['no source', {}, 'source'],
    ['a source without a URL', { source: {} }, 'source.url'],
    ['a field that is not known', { source: { url: URL_OF }, colour: 'red' }, 'colour'],
    ['an empty key', { source: { url: URL_OF }, key: '' }, 'key'],
    ['odd options', { source: { url: URL_OF }, options: { quality: 'best' } }, 'options.quality'],
    ['odd metadata', { source: { url: URL_OF }, metadata: { a: 1 } }, 'metadata.a'],
    ['no JSON object', 7, ''],
  ])('refuses %s', async (_, body, where) => {
    const problem = await problemOf(await post('/jobs', body));
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request', detail: expect.stringContaining(where) });
    expect((await submit(URL_OF, { key: 'clip' })).status).toBe(202);
  });

  test('refuses every address that is not public, before anything is asked there', async () => {
    for (const { refused, code } of [...OUTRIGHT, ...BY_ANSWER]) {
      expect([refused, (await problemOf(await submit(refused))).code]).toEqual([refused, code]);
    }
    expect(arrived.filter(({ url }) => url !== URL_OF)).toEqual([]);
    internet.resolve = () => Promise.reject(new Error('the resolver is away'));
    expect(await problemOf(await submit(URL_OF))).toMatchObject({ status: 503, code: 'resolver_unavailable' });
  });

  test('again with the same Idempotency-Key gets the same job; a webhook_url its endpoint', async () => {
    const init = {
      method: 'POST',
      // What it is told, at whatever time, arrives in no test.
      body: JSON.stringify({ source: { url: URL_OF }, webhook_url: `${HOOK}/0` }),
      headers: { 'Idempotency-Key': 'of-a-url' },
    };
    const first = Accepted.parse(await (await call('/jobs', init)).json());
    expect(first.webhook?.secret).toMatch(/^whsec_/);
    const again = Accepted.parse(await (await call('/jobs', init)).json());
    expect(again).toEqual({ ...first, webhook: { id: first.webhook?.id, secret: null } });
  });
});

test('the query of the URL is told to its server, and to nobody else', async () => {
  const lines: string[] = [];
  for (const level of ['log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...parts) => void lines.push(parts.join(' ')));
  }
  internet.answer = serving('gone', { status: 410 });
  const id = await fetched();
  await until(id, 'failed');
  expect(arrived[0]?.url).toBe(URL_OF);
  const asked = ['', '/events', '/stream?last_event_id=0'].map(async (path) =>
    (await call(`/jobs/${id}${path}`)).text(),
  );
  const shown = [...(await Promise.all(asked)), await (await call('/jobs?limit=100')).text()];
  const internal = await env.JOB.getByName(id).events(0, 100, true);
  expect(JSON.stringify(internal)).toContain('https://hooks.example.com/films/my%20clip.mp4"');
  for (const text of [...shown, JSON.stringify(internal), ...lines]) expect(text).not.toContain('hush');
  expect(lines.length).toBeGreaterThan(3);
});

describe('a redirect', () => {
  test.each([
    ['a name of this machine', 'http://localhost/x', 'url_refused'],
    ['an address', 'http://169.254.169.254/latest/meta-data', 'url_refused'],
    ['an address in another notation', 'http://0x7f.1/x', 'url_refused'],
    ['an IPv6 address that holds one', 'http://[::ffff:10.0.0.1]/x', 'url_refused'],
    ['a name with a private address', 'https://loopback.example.com/x', 'url_refused'],
    ['a name with one private address', 'https://mixed.example.com/x', 'url_refused'],
    ['a name with no address', 'https://nowhere.example.com/x', 'url_unresolved'],
    ['another scheme', 'file:///etc/passwd', 'invalid_url'],
    ['itself', URL_OF, 'too_many_redirects'],
  ])('to %s ends the job, and nothing is asked there', async (_, Location, code) => {
    internet.answer = ({ url }) =>
      url === URL_OF ? new Response(null, { status: 302, headers: { Location } }) : new Response('secret');
    const id = await fetched();
    await until(id, 'failed');
    expect(await job(id)).toMatchObject({ error: { code, retryable: false } });
    expect(new Set(arrived.map(({ url }) => url))).toEqual(new Set([URL_OF]));
    expect(await keys(env.INPUT, id)).toEqual([]);
  });

  test('to a public address is followed', async () => {
    const Location = 'https://ipv4.example.com/y';
    internet.answer = ({ url }) =>
      url === URL_OF ? new Response(null, { status: 307, headers: { Location } }) : serving('a video')();
    const id = await fetched();
    await untilWhole(id);
    expect(arrived.map(({ url }) => url)).toEqual([URL_OF, Location]);
  });
});

describe('a message', () => {
  test('that is lost comes again, by the job', async () => {
    internet.answer = serving('a video');
    const id = await unheard();
    expect(secondsUntil(await timer(id, 'fetch'))).toBe(60);
    expect(arrived).toEqual([]);
    await withBindings(id, {});
    await fire(id, 'fetch');
    await untilWhole(id);
    expect(await timer(id, 'fetch')).toBeUndefined();
  });

  test('that comes twice begins no second slice; when the first one has died, another takes its place', async () => {
    internet.answer = serving('a video');
    const id = await unheard();
    const object = env.UPLOAD.getByName(id);
    const first = await object.claim({ job_id: id, run: 1, max_bytes: 100 });
    expect(first).toMatchObject({ ok: true, value: { n: 1, offset: 0 } });
    await fetchSlice(env, id);
    expect(arrived).toEqual([]);
    await runInDurableObject(object, (_, { storage }) => {
      const store = new UploadStore(storage);
      const claimed = store.load();
      if (claimed?.via !== 'pieces' || !claimed.fetching) throw new Error('nothing is fetched');
      store.save({ ...claimed, fetching: { ...claimed.fetching, busy_until: 0 } });
    });
    await fetchSlice(env, id);
    await untilWhole(id);
    expect(arrived).toHaveLength(1);

    expect(await object.bring(1, found(9), said('late'))).toMatchObject({ ok: false });
    await object.settle(1, { is: 'whole' });
    expect(await stored(id)).toBe(await digest(new TextEncoder().encode('a video')));
  });
});

test('a body that ended, though nobody had said where, is whole only when its server has nothing to add', async () => {
  const all = bytes(0, 2000);
  const ETag = '"1"';
  internet.answer = ({ headers }) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.get('Range') ?? '')?.[1] ?? 0);
    if (from === all.length) return new Response(null, { status: 416, headers: { 'Content-Range': 'bytes */2000' } });
    if (from === 0) return new Response(all.slice(0, 700), { headers: { ...VIDEO, ETag } });
    const range = { 'Content-Range': `bytes ${from}-1999/*`, ETag };
    return new Response(all.slice(from), { status: 206, headers: { ...VIDEO, ...range } });
  };
  const id = await fetched();
  await untilWhole(id);
  expect(await stored(id)).toBe(await digest(all));
  expect(arrived.map(({ headers }) => headers.get('Range'))).toEqual([null, 'bytes=700-', 'bytes=2000-']);
});

describe('a source that cannot be had now', () => {
  test('is tried again, not before its server wants it, and given up in the end', async () => {
    internet.answer = serving('busy', { status: 503, headers: { 'Retry-After': '120' } });
    const id = await fetched();
    for (let tries = 1; tries <= 6; tries++) {
      await expect.poll(() => arrived.length, { timeout: 10_000 }).toBe(tries);
      if (tries === 6) break;
      await expect.poll(async () => secondsUntil(await timer(id, 'fetch'))).toBeGreaterThan(110);
      await fire(id, 'fetch');
    }
    await until(id, 'failed');
    expect(await job(id)).toMatchObject({ error: { code: 'source_unreachable', retryable: true } });
    expect(await timer(id, 'fetch')).toBeUndefined();
    expect(arrived).toHaveLength(6);
  });

  test('is waited for a day, and no longer', async () => {
    const id = await unheard();
    expect(secondsUntil(await timer(id, 'upload'))).toBe(86_400);
    await fire(id, 'upload');
    expect(await job(id)).toMatchObject({ status: 'failed', error: { code: 'source_timeout', retryable: true } });
    expect(await timer(id, 'fetch')).toBeUndefined();
  });
});

describe('a job that ended without its source', () => {
  test('fetches it once more when it is tried again', async () => {
    internet.answer = serving('not there', { status: 404 });
    const id = await fetched();
    await until(id, 'failed');
    expect(await job(id)).toMatchObject({ error: { code: 'source_refused', retryable: false } });
    internet.answer = serving('a video');
    expect((await post(`/jobs/${id}/retry`, {})).status).toBe(202);
    expect(await job(id)).toMatchObject({ status: 'pending', stage: 'uploading' });
    await untilWhole(id);
    expect(await stored(id)).toBe(await digest(new TextEncoder().encode('a video')));
    expect((await upload(id)).phase).toBe('done');
  });

  test.each(['cancel', 'delete'])('by %s stops what is being fetched, and leaves nothing', async (how) => {
    internet.answer = () => {
      const { readable, writable } = new IdentityTransformStream();
      const writer = writable.getWriter();
      writer.write(bytes(0, 1000)).catch(() => {});
      return new Response(readable, { headers: { ...VIDEO, 'Content-Length': '5000' } });
    };
    const id = await fetched();
    await expect
      .poll(
        async () =>
          upload(id).then(
            ({ length }) => length,
            () => null,
          ),
        { timeout: 10_000 },
      )
      .toBe(5000);
    if (how === 'cancel') await post(`/jobs/${id}/cancel`, {});
    else await call(`/jobs/${id}`, { method: 'DELETE' });
    await expect.poll(async () => (await upload(id)).phase).toBe('closed');
    expect(await keys(env.INPUT, id)).toEqual([]);
    expect((await call(`/jobs/${id}`)).status).toBe(how === 'cancel' ? 200 : 404);
  });
});

describe('a run of its own', () => {
  const error = { code: 'source_refused', message: 'no', retryable: false } as const;
  const final = { is: 'failed', error, isFinal: true, wait_ms: 0 } as const;
  const away = { getByName: () => ({ close: () => Promise.reject(new Error('the upload is away')) }) };

  test.each([
    ['has closed', LOST, 'closed'],
    ['has left open, and still fetches', { ...LOST, UPLOAD: away }, 'open'],
  ])('begins with the first byte, and is deaf to the one before it, which the job %s', async (_, bindings, phase) => {
    const id = await unheard();
    await withBindings(id, bindings);
    const object = env.UPLOAD.getByName(id);
    const claim = async () => {
      const run = (await env.JOB.getByName(id).toFetch())?.run ?? 0;
      return { run, ...(await object.claim({ job_id: id, run, max_bytes: 100 })) };
    };
    const first = await claim();
    expect(first).toMatchObject({ ok: true, value: { n: 1, offset: 0 } });
    expect(await object.bring(1, found(null), said('half'))).toMatchObject({ ok: true, value: { offset: 4 } });
    await object.settle(1, { is: 'sliced' });
    expect(await claim()).toMatchObject({ ok: true, value: { n: 2, offset: 4 } });
    const hanging = object.bring(2, found(9), new IdentityTransformStream().readable);
    await expect.poll(async () => (await upload(id)).length).toBe(9);

    await post(`/jobs/${id}/cancel`, {});
    await expect.poll(async () => (await upload(id)).phase).toBe(phase);
    await post(`/jobs/${id}/retry`, {});
    expect(await claim()).toMatchObject({ ok: true, value: { n: 3, offset: 0, length: null } });
    expect(await hanging).toMatchObject({ ok: false });
    expect(await object.claim({ job_id: id, run: first.run, max_bytes: 100 })).toEqual({ ok: true, value: null });
    for (const end of [final, { is: 'whole' }, { is: 'sliced' }] as const) await object.settle(2, end);
    expect(await upload(id)).toMatchObject({ phase: 'open', fetching: { slice: 3, failures: 0 } });
    expect(await job(id)).toMatchObject({ status: 'pending', error: null });

    expect(await object.bring(3, found(7), said('a video'))).toMatchObject({ ok: true });
    await untilWhole(id);
    expect(await stored(id)).toBe(await digest(new TextEncoder().encode('a video')));
  });

  test('ends with what its own last slice says', async () => {
    const id = await unheard();
    await env.UPLOAD.getByName(id).claim({ job_id: id, run: 1, max_bytes: 100 });
    await env.UPLOAD.getByName(id).settle(1, final);
    expect(await job(id)).toMatchObject({ status: 'failed', error: { code: 'source_refused' } });
  });
});

test('a slice whose bytes are refused before the first of them keeps no other from being claimed', async () => {
  const id = await unheard();
  const object = env.UPLOAD.getByName(id);
  const order = { job_id: id, run: 1, max_bytes: 9 };
  await object.claim(order);
  expect(await object.bring(1, found(null), said('half'))).toMatchObject({ ok: true });
  await object.settle(1, { is: 'sliced' });
  expect(await object.claim(order)).toMatchObject({ ok: true, value: { n: 2, offset: 4 } });
  expect(await object.bring(2, found(10), said('too long'))).toMatchObject({ ok: false, code: 'too_large' });
  await object.settle(2, { is: 'sliced' });
  expect(await object.claim(order)).toMatchObject({ ok: true, value: { n: 3, offset: 4 } });
  expect(await object.bring(3, found(7), said('way'))).toMatchObject({ ok: true });
  expect(await stored(id)).toBe(await digest(new TextEncoder().encode('halfway')));
});

test('what is fetched is no upload of tus: nobody sees or writes it there', async () => {
  internet.answer = () => new Response(new IdentityTransformStream().readable, { headers: VIDEO });
  const id = await fetched();
  await expect
    .poll(
      async () =>
        upload(id).then(
          ({ phase }) => phase,
          () => null,
        ),
      { timeout: 10_000 },
    )
    .toBe('open');
  expect([(await head(id)).status, (await patch(id, 0, 'x')).status]).toEqual([404, 404]);
  await post(`/jobs/${id}/cancel`, {});
});
