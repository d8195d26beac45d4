/**
 * Sources that are fetched from URLs, by the real edge from servers on loopback that behave badly: each ends whole, byte
 * for byte, or in a code that says what was wrong, within the time it has.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Accepted } from '../../src/contract/api.ts';
import { Job } from '../../src/contract/job.ts';
import { LeaseGrant } from '../../src/contract/transcoder.ts';
import { randomFrom } from './cutting-proxy.ts';
import { type DirectEdge, startDirectEdge } from './direct-edge.ts';
import { follow } from './follow.ts';
import { answering, type Behaviour, file, SourceServer } from './source-server.ts';
import { System } from './system.ts';
import { PART } from './tus-upload.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const CUTS = LONG ? 30 : 6;
const MIB = 2 ** 20;
const MOST = 9 * MIB;

const LIMITS = {
  ...{ FETCH_SLICE_MS: '2000', FETCH_SILENCE_MS: '1500', FETCH_SCHEDULE_MS: '20,20' },
  ...{ MAX_UPLOAD_BYTES: String(MOST), RING_AGAIN_MS: '60000' },
};

let edge: DirectEdge;
let server: SourceServer;
beforeAll(async () => {
  [edge, server] = await Promise.all([startDirectEdge({ ...LIMITS, ALLOW_PRIVATE_URLS: '1' }), SourceServer.start()]);
});
afterAll(async () => {
  await edge.stop();
  await server.close();
});

const FILE = randomBytes(PART + 77);

/** Enough to be cut in two. */
const SMALL = FILE.subarray(0, 400_000);

let paths = 0;
const newPath = (): string => `/source-${++paths}.mp4`;

const post = (path: string, body: unknown, at = edge.url): Promise<Response> =>
  fetch(at + path, { method: 'POST', body: JSON.stringify(body) });

async function submit(url: string, at = edge.url): Promise<string> {
  const answer = await post('/jobs', { source: { url } }, at);
  expect(answer.status).toBe(202);
  return Accepted.parse(await answer.json()).job_id;
}

const job = async (id: string, at = edge.url): Promise<Job> =>
  Job.parse(await (await fetch(`${at}/jobs/${id}`)).json());

/** The job when its source is there, or never will be. */
async function settled(id: string, at = edge.url): Promise<Job> {
  await follow(`${at}/jobs/${id}/stream`, ({ data }) => (data.progress ?? 0) >= 10);
  return job(id, at);
}

/** Whether the source is stored as it was served: a transcoder reads it. */
async function isStored(id: string, bytes: Uint8Array, at = edge.url): Promise<boolean> {
  const request = { task: 'main', transcoder: 'reader', request_id: id };
  const { lease } = LeaseGrant.parse(await (await post(`/internal/jobs/${id}/lease`, request, at)).json());
  const headers = { 'Reelwire-Lease': `main:${lease}` };
  const stored = await fetch(`${at}/internal/jobs/${id}/source`, { headers });
  return Buffer.from(await stored.arrayBuffer()).equals(bytes);
}

/** The code in which a source that behaves so ends; `whole` when it is stored as it is. */
async function fate(url: string, bytes: Uint8Array = SMALL): Promise<string> {
  const id = await submit(url);
  const { error } = await settled(id);
  return error ? error.code : (await isStored(id, bytes)) ? 'whole' : 'other bytes';
}

const redirects = (hops: number): string => {
  let to = server.at(newPath(), file(SMALL));
  for (let hop = 0; hop < hops; hop++) to = server.at(newPath(), answering(302, { Location: to }));
  return to;
};

const endless: Behaviour = (response) => {
  response.writeHead(200, { 'Content-Type': 'video/mp4' });
  const more = (): void => {
    while (response.writable && response.write(FILE));
  };
  response.on('drain', more);
  more();
};

/** Ends after `bytes`, whatever it says. */
const short = (bytes: number, ranges: boolean): Behaviour =>
  file(SMALL, { ranges, cut: (nth) => (nth === 1 ? bytes : 1) });

const changing: Behaviour = (response, headers, nth) =>
  file(SMALL, { etag: `"${nth}"`, cut: () => 1000 })(response, headers, nth);

const elsewhere: Behaviour = (response, headers, nth) => {
  if (headers.range === undefined) return file(SMALL, { cut: () => 1000 })(response, headers, nth);
  response.writeHead(206, { 'Content-Range': `bytes 0-${SMALL.length - 1}/${SMALL.length}` }).end(SMALL);
};

const CASES: [what: string, address: () => string, fate: string][] = [
  ['a file', () => server.at(newPath(), file(SMALL)), 'whole'],
  ['a file without a length', () => server.at(newPath(), file(SMALL, { chunked: true })), 'whole'],
  ['a file behind 5 redirects', () => redirects(5), 'whole'],
  ['10 redirects', () => redirects(10), 'too_many_redirects'],
  ['a redirect loop', () => loop(), 'too_many_redirects'],
  [
    'a redirect to another scheme',
    () => server.at(newPath(), answering(302, { Location: 'ftp://x/y' })),
    'invalid_url',
  ],
  ['404', () => server.at(newPath(), answering(404)), 'source_refused'],
  ['a 304 that nobody asked for', () => server.at(newPath(), answering(304)), 'source_refused'],
  ['503, always', () => server.at(newPath(), answering(503)), 'source_unreachable'],
  ['503, twice', () => server.at(newPath(), recovering(503)), 'whole'],
  ['no server', () => 'http://127.0.0.1:1/x.mp4', 'source_unreachable'],
  ['a page', () => server.at(newPath(), answering(200, { 'Content-Type': 'text/html' }, '<p>')), 'source_wrong_type'],
  ['gzip', () => server.at(newPath(), answering(200, GZIP, gzipSync(SMALL))), 'source_wrong_type'],
  ['no bytes', () => server.at(newPath(), answering(200)), 'empty_file'],
  ['no bytes, without a length', () => server.at(newPath(), file(new Uint8Array(), { chunked: true })), 'empty_file'],
  ['a length above the limit', () => server.at(newPath(), file(new Uint8Array(MOST + 1))), 'source_too_large'],
  ['a body without end', () => server.at(newPath(), endless), 'source_too_large'],
  ['no answer', () => server.at(newPath(), () => {}), 'source_timeout'],
  ['a byte now and then', () => server.at(newPath(), file(SMALL, { pace: 20 })), 'source_timeout'],
  ['a wrong length', () => server.at(newPath(), short(1000, true)), 'source_incomplete'],
  ['a wrong length, without Range', () => server.at(newPath(), short(1000, false)), 'source_not_resumable'],
  ['another file after a cut', () => server.at(newPath(), changing), 'source_changed'],
  ['another range than asked for', () => server.at(newPath(), elsewhere), 'source_not_resumable'],
  ['more than a slice', () => server.at(newPath(), file(SMALL, { pace: 100_000 })), 'whole'],
  [
    'the same without Range',
    () => server.at(newPath(), file(SMALL, { pace: 100_000, ranges: false })),
    'source_not_resumable',
  ],
];

const GZIP = { 'Content-Type': 'video/mp4', 'Content-Encoding': 'gzip' };

function loop(): string {
  const path = newPath();
  return server.at(path, answering(302, { Location: path }));
}

const recovering =
  (status: number): Behaviour =>
  (response, headers, nth) =>
    (nth > 2 ? file(SMALL) : answering(status))(response, headers, nth);

test('each ends in its code, or whole', async () => {
  const fates = await Promise.all(CASES.map(async ([what, address]) => [what, await fate(address())]));
  expect(fates).toEqual(CASES.map(([what, , fate]) => [what, fate]));
});

describe('a source that breaks off', () => {
  test.each([
    ['with its length', false],
    ['without', true],
  ])('again and again, %s, is resumed where it was, and is stored as it is', async (_, chunked) => {
    const random = randomFrom(5);
    const path = newPath();
    const cut = (nth: number) => (nth > CUTS ? null : Math.floor(300_000 + random() * 2_000_000));
    expect(await fate(server.at(path, file(FILE, { chunked, cut })), FILE)).toBe('whole');
    const [first, ...rest] = server.asked(path);
    expect(first).toMatchObject({ 'accept-encoding': 'identity' });
    expect(first).not.toHaveProperty('range');
    expect(rest.length).toBeGreaterThan(3);
    for (const asked of rest)
      expect(asked).toMatchObject({ range: expect.stringMatching(/^bytes=\d+-$/), 'if-range': '"1"' });
  });

  test.runIf(LONG)(
    'with the edge that fetches it goes on after the restart',
    async () => {
      const system = await System.start({ ...LIMITS, FETCH_SILENCE_MS: '30000', ALLOW_PRIVATE_URLS: '1' });
      try {
        const path = newPath();
        const id = await submit(server.at(path, file(FILE, { pace: 2 * MIB })), system.url);
        await expect.poll(async () => (await job(id, system.url)).progress, { timeout: 20_000 }).toBeGreaterThan(5);
        await system.restart();
        await expect.poll(async () => (await job(id, system.url)).progress, { timeout: 100_000 }).toBe(10);
        expect(await isStored(id, FILE, system.url)).toBe(true);
      } finally {
        await system.stop();
      }
    },
    150_000,
  );
});

test('a job is cancelled while its source comes, which its server notices, and tried again fetches it anew', async () => {
  const path = newPath();
  let left: Promise<unknown> = Promise.resolve();
  const behaviour: Behaviour = (response, headers, nth) => {
    if (nth === 1) left = once(response, 'close');
    return file(FILE, nth === 1 ? { pace: MIB } : {})(response, headers, nth);
  };
  const id = await submit(server.at(path, behaviour));
  await expect.poll(() => server.asked(path).length).toBe(1);
  await post(`/jobs/${id}/cancel`, {});
  expect((await job(id)).status).toBe('cancelled');
  await left;
  expect((await post(`/jobs/${id}/retry`, {})).status).toBe(202);
  expect(await settled(id)).toMatchObject({ status: 'pending', progress: 10 });
  expect(await isStored(id, FILE)).toBe(true);
});
