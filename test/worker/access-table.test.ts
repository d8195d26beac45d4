/** Every route, asked by everybody: the routes come from the application, the expected answers from this table. */
import { createExecutionContext } from 'cloudflare:test';
import { Hono } from 'hono';
import { beforeAll, expect, test } from 'vitest';
import { withAccess } from '../../src/worker/access/guard.ts';
import { ACCESS } from '../../src/worker/access/table.ts';
import { type App, app } from '../../src/worker/app.ts';
import { onError } from '../../src/worker/problems.ts';
import {
  bearer,
  betrayed,
  call,
  deploy,
  env,
  expired,
  forged,
  jobToken,
  newJob,
  newKey,
  newUpload,
  ORIGIN,
  playableJob,
  send,
  TRANSCODER_TOKEN,
  uploadToken,
} from './closed.ts';
import { BYTES, RESUMABLE } from './tus.ts';

const WHO = [
  'nobody',
  'read',
  'submit',
  'admin',
  'this job',
  'another job',
  'expired',
  'upload',
  'transcoder',
] as const;
type Who = (typeof WHO)[number];

type Expected = readonly number[];
const everybody = (status: number): Expected => WHO.map(() => status);
//                     nobody read submit admin  this another expired upload transcoder
const reading: Expected = [401, 200, 200, 200, 200, 404, 401, 403, 401];
const writing: Expected = [401, 403, 202, 202, 403, 404, 401, 403, 401];
const administering = (status: number): Expected => [401, 403, 403, status, 403, 403, 401, 403, 401];
const transcoding = (status: number): Expected => [401, 401, 401, 401, 401, 401, 401, 401, status];

const EXPECTED: Record<string, Expected> = {
  'GET /': everybody(200),
  'GET /health': everybody(200),
  'GET /ready': everybody(200),
  'GET /openapi.json': everybody(200),
  'GET /docs': everybody(200),
  'GET /docs/rapidoc.js': everybody(200),
  'GET /metrics': [401, 200, 200, 200, 403, 403, 401, 403, 401],
  'GET /index.html': everybody(200),
  'GET /watch/:id': everybody(200),
  'GET /assets/:name': everybody(404),
  'GET /session': [200, 200, 200, 200, 200, 200, 401, 200, 401],
  'POST /session': everybody(200),
  'DELETE /session': everybody(204),

  'POST /process': [401, 403, 202, 202, 403, 403, 401, 202, 401],
  'POST /uploads/tokens': [401, 403, 201, 201, 403, 403, 401, 403, 401],
  'POST /uploads': [401, 403, 201, 201, 403, 403, 401, 201, 401],
  /** Begun by the submit key: 404 for whom it is not. The first piece moves the offset, the end is the end. */
  'GET /uploads/:id': [401, 403, 200, 200, 403, 403, 401, 404, 401],
  'PATCH /uploads/:id': [401, 403, 204, 409, 403, 403, 401, 404, 401],
  'DELETE /uploads/:id': [401, 403, 204, 204, 403, 403, 401, 404, 401],

  'GET /jobs': [401, 200, 200, 200, 403, 403, 401, 403, 401],
  'POST /jobs': [401, 403, 400, 400, 403, 403, 401, 403, 401],
  'GET /streams': [401, 200, 200, 200, 200, 200, 401, 403, 401],
  'GET /jobs/:id': reading,
  'GET /jobs/:id/stream': reading,
  'GET /jobs/:id/events': reading,
  'GET /jobs/:id/outputs/*': reading,
  'GET /play/:token/*': [401, 401, 401, 401, 200, 200, 401, 403, 401],
  'POST /jobs/:id/tokens': [401, 201, 201, 201, 403, 404, 401, 403, 401],
  'POST /jobs/:id/cancel': writing,
  'POST /jobs/:id/retry': writing,
  'DELETE /jobs/:id': [401, 403, 403, 202, 403, 404, 401, 403, 401],

  'GET /keys': administering(200),
  'POST /keys': administering(201),
  'DELETE /keys/:id': administering(404),

  'GET /webhooks': administering(200),
  'POST /webhooks': administering(400),
  'GET /webhooks/:id': administering(404),
  'PATCH /webhooks/:id': administering(404),
  'DELETE /webhooks/:id': administering(404),
  'POST /webhooks/:id/rotate': administering(404),
  'POST /webhooks/:id/enable': administering(404),
  'POST /webhooks/:id/disable': administering(404),
  'POST /webhooks/:id/test': administering(404),
  'GET /webhooks/:id/deliveries': administering(404),
  'POST /webhooks/:id/deliveries/:event_id/redeliver': administering(404),

  'POST /internal/fleet': transcoding(200),
  'POST /internal/jobs/:id/lease': transcoding(200),
  'POST /internal/jobs/:id/report': transcoding(409),
  'POST /internal/jobs/:id/release': transcoding(409),
  'POST /internal/jobs/:id/finish': transcoding(409),
  'GET /internal/jobs/:id/source': transcoding(409),
  'PUT /internal/jobs/:id/outputs/:folder/:name': transcoding(409),
  'GET /internal/jobs/:id/outputs/:folder/:take/:name': transcoding(409),
  'POST /internal/jobs/:id/outputs/:folder/:name/parts': transcoding(409),
  'PUT /internal/jobs/:id/outputs/:folder/:name/parts/:part': transcoding(409),
  'POST /internal/jobs/:id/outputs/:folder/:name/parts/complete': transcoding(409),

  'POST /client/v4/accounts/:account/queues/:queue/messages/pull': transcoding(200),
  'POST /client/v4/accounts/:account/queues/:queue/messages/ack': transcoding(200),
};

/** A body that the route takes. */
const BODIES: Record<string, () => unknown> = {
  'POST /session': () => ({ key: credentials.read }),
  'POST /uploads/tokens': () => ({ max_bytes: 1000 }),
  'POST /jobs/:id/tokens': () => ({ scopes: ['watch'] }),
  'POST /keys': () => ({ name: 'made', role: 'read' }),
  'POST /internal/fleet': () => ({ transcoder: 'box', version: '1', slots: 1, busy: 0 }),
  'POST /internal/jobs/:id/lease': () => ({ task: 'main', transcoder: 'box', request_id: 'one' }),
  'POST /internal/jobs/:id/report': () => ({ lease: 9, batch: 1, entries: [], commits: [] }),
  'POST /internal/jobs/:id/release': () => ({ lease: 9 }),
  'POST /internal/jobs/:id/finish': () => ({ lease: 9, result: { duration_seconds: 1 } }),
  'POST /internal/jobs/:id/outputs/:folder/:name/parts/complete': () => ({
    upload_id: 'x',
    parts: [{ part: 1, etag: 'x' }],
  }),
};

const routes = [
  ...new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)),
];

const credentials = { read: '', submit: '', admin: '' };
let other = '';

beforeAll(async () => {
  await deploy();
  for (const role of ['read', 'submit', 'admin'] as const) credentials[role] = (await newKey(role)).key;
  other = await jobToken(await playableJob(), credentials.read);
});

/** What `who` has to show; empty for nobody. */
async function shownBy(who: Who, job: string): Promise<string> {
  switch (who) {
    case 'nobody':
      return '';
    case 'this job':
      return forged(job);
    case 'another job':
      return other;
    case 'expired':
      return expired(job);
    case 'upload':
      return uploadToken(credentials.submit);
    case 'transcoder':
      return TRANSCODER_TOKEN;
    default:
      return credentials[who];
  }
}

/** Of `{}`, the body of a request for which there is no other. */
const PIECE = Object.entries({ ...RESUMABLE, ...BYTES, 'Upload-Length': '10', 'Upload-Offset': '0' });

const SEGMENTS: Record<string, string> = {
  folder: '720p',
  name: '1.m4s',
  take: 't1',
  part: '1',
  account: 'a',
  queue: 'q',
};

/** Asks for the route as `who`, and returns the status. */
async function ask(route: string, who: Who, job: string): Promise<number> {
  const [method = '', pattern = ''] = route.split(' ');
  if (pattern.endsWith('/retry')) await env.JOB.getByName(job).cancel('a test');
  const shown = await shownBy(who, job);
  const inPath = pattern.startsWith('/play/');
  const path = pattern
    .replace('/*', '/master.m3u8')
    .replace(':token', shown || 'none')
    .replace(/:(\w+)/g, (_, name) => SEGMENTS[name] ?? job);
  const query = pattern === '/streams' ? `?jobs=${job}` : pattern === '/process' ? '?key=clip' : '';
  const headers = new Headers(shown && !inPath ? bearer(shown) : {});
  if (/^\/uploads(\/:id)?$/.test(pattern)) for (const [name, value] of PIECE) headers.set(name, value);
  headers.set('Reelwire-Lease', 'main:9');
  if (!headers.has('Content-Type')) headers.set('Content-Type', 'application/octet-stream');
  const body = BODIES[route]?.() ?? {};
  const init = method === 'GET' ? {} : { body: JSON.stringify(body) };
  const sent = pattern === '/uploads/:id' && method === 'GET' ? 'HEAD' : method;
  const answer = await call(`${path}${query}`, { method: sent, headers, ...init });
  await answer.body?.cancel();
  return answer.status;
}

test('every route of the application has its line in the table of access and in this one, and there is no other', () => {
  expect(Object.keys(ACCESS).sort()).toEqual([...routes].sort());
  expect(Object.keys(EXPECTED).sort()).toEqual([...routes].sort());
});

function subjectOf(route: string): Promise<string> {
  if (route.endsWith(' /uploads/:id')) return newUpload(credentials.submit);
  return route.endsWith('/*') ? playableJob() : newJob();
}

test.each(routes)('%s', async (route) => {
  const job = await subjectOf(route);
  const answers: [Who, number][] = [];
  for (const who of WHO) answers.push([who, await ask(route, who, job)]);
  expect(answers).toEqual(WHO.map((who, i) => [who, EXPECTED[route]?.[i]]));
});

test('HEAD needs what GET needs', async () => {
  expect((await call('/jobs', { method: 'HEAD' })).status).toBe(401);
  expect((await call('/jobs', { method: 'HEAD', headers: bearer(credentials.read) })).status).toBe(200);
});

test('a route that nothing is said about is refused, whoever asks and in open mode too', async () => {
  const bare = new Hono<App>().use(withAccess).get('/forgotten', (c) => c.text('secret'));
  bare.get('/health', (c) => c.text('well'));
  bare.onError(onError);
  const get = (path: string, settings: object, headers: HeadersInit) =>
    bare.fetch(new Request(new URL(path, ORIGIN), { headers }), { ...env, ...settings }, createExecutionContext());
  const admin = { Host: 'edge.example', ...bearer(credentials.admin) };
  const open = { Host: 'localhost' };
  expect((await get('/forgotten', {}, admin)).status).toBe(403);
  expect((await get('/health', {}, admin)).status).toBe(200);
  expect((await get('/forgotten', { REELWIRE_OPEN: '1' }, open)).status).toBe(403);
  expect((await get('/health', { REELWIRE_OPEN: '1' }, open)).status).toBe(200);
});

test('what may not be seen is refused like what is not there', async () => {
  const hidden = await newJob();
  const answers = await Promise.all(
    [hidden, crypto.randomUUID()].map(async (id) => {
      const answer = await call(`/jobs/${id}`, { headers: bearer(other) });
      const { request_id: _, ...problem } = await answer.json<Record<string, unknown>>();
      return [answer.status, problem];
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]).toMatchObject([404, { code: 'job_not_found' }]);
  const write = await send(`/jobs/${hidden}/cancel`, other, {});
  expect(write.status).toBe(404);
});

test('nothing secret was logged', () => {
  expect(betrayed()).toMatchObject({ lines: [], of: expect.any(Number) });
  expect(betrayed().of).toBeGreaterThan(WHO.length * routes.length);
});
