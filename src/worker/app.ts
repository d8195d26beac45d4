/** The edge's HTTP application: what holds for every request, and which room answers which address. */
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { type RequestIdVariables, requestId } from 'hono/request-id';
import type { Health } from '../contract/api.ts';
import { PROTOCOLS } from '../contract/transcoder.ts';
import type { Env } from '../durable/env.ts';
import { fleetSize } from '../durable/fleet.ts';
import { withAccess } from './access/guard.ts';
import { withCors, withoutSecrets, withSecurityHeaders } from './access/headers.ts';
import { NOBODY, nameOf, type Principal } from './access/principal.ts';
import { docs, docsScript } from './docs.ts';
import { home } from './home.ts';
import { internal } from './internal.ts';
import { jobs } from './jobs.ts';
import { keys } from './keys.ts';
import { metrics } from './metrics/metrics.ts';
import { openApiDocument } from './openapi/document.ts';
import { appPage, asset, nothingHere, variesByAccept, watchPage } from './pages.ts';
import { play } from './play.ts';
import { onError } from './problems.ts';
import { process } from './process.ts';
import { withProtocol } from './protocol.ts';
import { queueApi } from './queue-api.ts';
import { ready } from './ready.ts';
import { session } from './session.ts';
import { streams } from './streams.ts';
import { makeUploadToken } from './tokens.ts';
import { uploads, withTus } from './uploads.ts';
import { version } from './version.ts';
import { webhooks } from './webhooks.ts';

export interface App {
  Bindings: Env;
  /** `job`: the one that the request is about, once that is known; for the log. */
  Variables: RequestIdVariables & { isOpen: boolean; principal: Principal; job?: string };
}

/** One line per request, when its answer begins; without the query, which may carry a token. */
const withRequestLog = createMiddleware<App>(async (c, next) => {
  const begun = Date.now();
  c.set('principal', NOBODY);
  await next();
  const { method, path } = c.req;
  const by = nameOf(c.get('principal'));
  const line = { msg: 'request', method, path: withoutSecrets(path), status: c.res.status, by, ms: Date.now() - begun };
  console.log(JSON.stringify({ ...line, job: c.get('job'), request_id: c.get('requestId') }));
});

export const app = new Hono<App>();
app.use(requestId(), withRequestLog, withSecurityHeaders);
app.onError(onError);
app.notFound(nothingHere);

app.use('/internal/*', withAccess, withProtocol);
app.route('/internal', internal);

app.use('/', variesByAccept);
app.use('/jobs/:id', variesByAccept);
app.use('/uploads/*', withTus);
app.use(withCors, withAccess);
app.get('/', home);
app.get('/index.html', appPage);
app.get('/watch/:id', watchPage);
app.get('/assets/:name', asset);
app.get('/health', async (c) => {
  const transcoders = await fleetSize(c.env);
  const mode = c.get('isOpen') ? 'open' : 'keys';
  const protocols = [...PROTOCOLS];
  return c.json({ status: 'healthy', service: 'reelwire', version, mode, protocols, transcoders } satisfies Health);
});
app.get('/ready', ready);
app.get('/metrics', metrics);
app.get('/openapi.json', (c) => c.json(openApiDocument()));
app.get('/docs', docs);
app.get('/docs/rapidoc.js', docsScript);
app.post('/process', process);
app.post('/uploads/tokens', makeUploadToken);
app.route('/uploads', uploads);
app.route('/jobs', jobs);
app.get('/streams', streams);
app.get('/play/:token/*', play);
app.route('/keys', keys);
app.route('/session', session);
app.route('/webhooks', webhooks);
app.route('/client/v4', queueApi);
