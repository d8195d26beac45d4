/** The edge's HTTP application: what holds for every request, and which room answers which address. */
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { type RequestIdVariables, requestId } from 'hono/request-id';
import type { Health } from '../contract/api.ts';
import type { Env } from '../durable/env.ts';
import { fleetSize } from '../durable/fleet.ts';
import { withOpenAccess, withTranscoder } from './access.ts';
import { home } from './home.ts';
import { internal } from './internal.ts';
import { jobs } from './jobs.ts';
import { onError, ProblemError } from './problems.ts';
import { process } from './process.ts';
import { queueApi } from './queue-api.ts';
import { streams } from './streams.ts';
import { version } from './version.ts';

export interface App {
  Bindings: Env;
  Variables: RequestIdVariables;
}

/** One line per request, when its answer begins; without the query, which may carry a token. */
const withRequestLog = createMiddleware<App>(async (c, next) => {
  const begun = Date.now();
  await next();
  const { method, path } = c.req;
  const line = { msg: 'request', method, path, status: c.res.status, ms: Date.now() - begun };
  console.log(JSON.stringify({ ...line, request_id: c.get('requestId') }));
});

const withCors = cors({
  origin: '*',
  allowMethods: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'],
  allowHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'Range', 'If-None-Match'],
  exposeHeaders: ['ETag', 'Content-Range', 'X-Request-Id'],
  maxAge: 86_400,
});

export const app = new Hono<App>();
app.use(requestId(), withRequestLog);
app.onError(onError);
app.notFound(() => {
  throw new ProblemError('not_found', 'Nothing lives at this address. GET / lists the routes.');
});

app.use('/internal/*', withTranscoder);
app.route('/internal', internal);

app.use(withOpenAccess, withCors);
app.get('/', home);
app.get('/health', async (c) => {
  const transcoders = await fleetSize(c.env);
  return c.json({ status: 'healthy', service: 'reelwire', version, transcoders } satisfies Health);
});
app.post('/process', process);
app.route('/jobs', jobs);
app.get('/streams', streams);
app.route('/client/v4', queueApi);
