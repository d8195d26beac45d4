/**
 * Requests that nobody in their right mind sends, to every route, with every credential: whatever comes, the answer is
 * one that a client can understand, comes soon, and tells nothing about the inside. The seed makes them the same again.
 */
import fc from 'fast-check';
import { beforeAll, expect, inject, test } from 'vitest';
import { Problem } from '../../src/contract/errors.ts';
import { app } from '../../src/worker/app.ts';
import {
  betrayed,
  call,
  deploy,
  expired,
  forged,
  jobToken,
  linesWith,
  newKey,
  playableJob,
  TRANSCODER_TOKEN,
  uploadToken,
} from './closed.ts';

declare module 'vitest' {
  interface ProvidedContext {
    fuzzRequests: number;
  }
}

const SEED = 20_261_120;
const ANSWER_MS = 10_000;
const AT_ONCE = 10;

const credentials: string[] = [];
let job = '';

beforeAll(async () => {
  await deploy();
  job = await playableJob();
  const keys = await Promise.all((['read', 'submit', 'admin', 'admin', 'admin'] as const).map((role) => newKey(role)));
  const submit = keys[1]?.key ?? '';
  credentials.push(
    ...keys.map(({ key }) => key),
    await jobToken(job, submit),
    await uploadToken(submit, { max_bytes: 50 }),
  );
  credentials.push(await forged(job, { signer: 'theirs' }), await expired(job), TRANSCODER_TOKEN, TRANSCODER_TOKEN, '');
});

const routes = [
  ...new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)),
];

const nasty = fc.constantFrom(
  ...[
    '',
    '.',
    '..',
    '%',
    '%00',
    '%2f',
    '%252e',
    '%ff',
    '%F0%9F',
    '\u0000',
    ' ',
    '*',
    ':id',
    '-1',
    '1e999',
    'null',
    '[]',
  ],
  ...[
    '__proto__',
    'constructor',
    '\u{1f600}',
    'ｊｏｂｓ',
    '../..',
    "' OR 1=1 --",
    '<script>',
    '{{7*7}}',
    '$1',
    'x'.repeat(5000),
  ],
);
const odd = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 30 }), fc.integer().map(String), fc.uuid());

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: odd },
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.constant(['watch', 'play']) },
  { weight: 1, arbitrary: fc.record({ url: odd }) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 20 }) },
);

const FIELDS = [
  ...['key', 'name', 'role', 'scopes', 'expires_in', 'cookie', 'max_bytes', 'options', 'metadata', 'lease', 'batch'],
  ...['entries', 'commits', 'task', 'transcoder', 'request_id', 'error', 'result', 'upload_id', 'parts', 'version'],
  ...['slots', 'busy', 'batch_size', 'acks', 'retries', 'events', 'description', 'overlap_seconds', 'source'],
];
const json = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 6 }).map((object) => JSON.stringify(object));

const body = fc.oneof(
  { weight: 4, arbitrary: json },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '{', 'null', '[[[[', '{"a":'.repeat(1000), '\ud800', '--x\r\n\r\n--x--'),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('video', 'key', 'options', 'x"\r\ny'), fc.string({ maxLength: 40 }))
      .map(
        ([name, text]) =>
          `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a"\r\n\r\n${text}\r\n--x--\r\n`,
      ),
  },
);

const type = fc.constantFrom(
  ...['application/json', 'application/octet-stream', 'video/mp4', 'text/plain', 'multipart/form-data; boundary=x'],
  ...['multipart/form-data', 'multipart/form-data; boundary=', 'video/', ';', 'application/json; charset=utf-16'],
);

/** What may stand in a header at all. */
const headerText = fc.string({ unit: fc.constantFrom(...'abcXYZ019 -_=:;,."/*+%()'), maxLength: 40 });
const HEADERS = [
  ...['Range', 'If-Range', 'If-None-Match', 'Last-Event-ID', 'Accept', 'Cookie', 'Origin', 'X-Request-Id'],
  ...['Repr-Digest', 'Reelwire-Lease', 'Idempotency-Key', 'CF-Connecting-IP', 'X-Forwarded-Host', 'Upload-Offset'],
];
const header = fc.oneof(
  headerText,
  fc.constantFrom('bytes=0-', 'bytes=-1', 'bytes=9-1', '*', '0', '-1', '99999999999999999999', 'main:1', 'main:0'),
  fc.constantFrom(
    'text/event-stream',
    'reelwire_play=x',
    '__Host-reelwire_session=a.b.c',
    `sha-256=:${'A'.repeat(43)}=:`,
  ),
);

const request = fc.record({
  route: fc.constantFrom(...routes),
  method: fc.option(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'), {
    freq: 4,
  }),
  /** One for each parameter; null is the job. */
  parts: fc.array(fc.option(odd, { freq: 2 }), { minLength: 5, maxLength: 5 }),
  query: fc.dictionary(
    fc.constantFrom('jobs', 'after', 'limit', 'cursor', 'status', 'q', 'key', 'token', 'upload_id'),
    odd,
    {
      maxKeys: 3,
    },
  ),
  credential: fc.nat(),
  headers: fc.dictionary(fc.constantFrom(...HEADERS), header, { maxKeys: 3 }),
  type,
  body,
});
type Drawn = typeof request extends fc.Arbitrary<infer T> ? T : never;

function pathOf({ route, parts, query }: Drawn): string {
  const rest = parts.values();
  const part = (): string => rest.next().value ?? job;
  const [, pattern = ''] = route.split(' ');
  const path = pattern.replace(/:\w+|\*/g, () =>
    encodeURI(toWellFormed(part())).replaceAll('?', '%3f').replaceAll('#', '%23'),
  );
  return `${path}?${new URLSearchParams(query)}`;
}

const toWellFormed = (text: string): string => text.toWellFormed();

async function send(drawn: Drawn): Promise<void> {
  const method = drawn.method ?? drawn.route.split(' ')[0] ?? 'GET';
  const headers = new Headers({ ...drawn.headers, 'Content-Type': drawn.type });
  const credential = credentials[drawn.credential % credentials.length];
  if (credential) headers.set('Authorization', `Bearer ${credential}`);
  const withBody = method === 'GET' || method === 'HEAD' ? {} : { body: drawn.body };
  const answer = await call(pathOf(drawn), { method, headers, signal: AbortSignal.timeout(ANSWER_MS), ...withBody });
  expect(answer.status).toBeLessThan(500);
  // RapiDoc's script is not ours, and speaks of errors.
  if (/^text\/(event-stream|javascript)/.test(answer.headers.get('Content-Type') ?? '') || method === 'HEAD') {
    return answer.body?.cancel();
  }
  const text = await answer.text();
  if (answer.status >= 400) Problem.parse(JSON.parse(text));
  expect(text).not.toMatch(/\.ts:\d|\.js:\d|\n\s+at |SQLITE|D1_ERROR|ZodError|TypeError/);
}

const count = inject('fuzzRequests');

test(`${count} odd requests are all answered`, { timeout: 60_000 + count * 20 }, async () => {
  const drawn = fc.sample(request, { numRuns: count, seed: SEED });
  const rest = drawn.entries();
  const some = async (): Promise<void> => {
    for (const [i, one] of rest) {
      try {
        await send(one);
      } catch (error) {
        throw new Error(`Request ${i} of seed ${SEED}: ${JSON.stringify(one).slice(0, 2000)}\n${error}`, {
          cause: error,
        });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  expect(linesWith('"msg":"request"').length).toBeGreaterThan(count * 0.9);
  for (const status of ['200', '400', '401', '403', '404'])
    expect(linesWith(`"status":${status}`).length).toBeGreaterThan(0);
});

test('nothing secret was logged', () => {
  expect(betrayed().lines).toEqual([]);
  expect(betrayed().of).toBeGreaterThan(count);
});
