/** The public routes of jobs. */
import { Hono } from 'hono';
import { EventsQuery, type JobChanged, type JobDeleted } from '../contract/api.ts';
import { nameOf } from './access/principal.ts';
import type { App } from './app.ts';
import { jobId, jobNotFound, jobObject } from './job-object.ts';
import { list } from './list.ts';
import { outputs } from './outputs.ts';
import { parse, unwrap } from './problems.ts';
import { stream } from './stream.ts';
import { submitUrl } from './submit-url.ts';
import { makeJobToken } from './tokens.ts';

export const jobs = new Hono<App>()
  .get('/', list)
  .post('/', submitUrl)
  .get('/:id', async (c) => {
    const job = await jobObject(c).view();
    if (!job) throw jobNotFound();
    return c.json(job);
  })
  .get('/:id/stream', stream)
  .get('/:id/events', async (c) => {
    if (/\btext\/event-stream\b/.test(c.req.header('Accept') ?? '')) return stream(c);
    // A stream's token may stand in the query; of what it opens, this is another form.
    const { token: _token, ...query } = c.req.query();
    const { after, limit } = parse(EventsQuery, query);
    const principal = c.get('principal');
    const withInternal = principal.kind === 'key' && principal.role === 'admin';
    return c.json({ events: unwrap(await jobObject(c).events(after, limit, withInternal)) });
  })
  .post('/:id/tokens', makeJobToken)
  .post('/:id/cancel', async (c) => {
    const status = unwrap(await jobObject(c).cancel(nameOf(c.get('principal'))));
    return c.json({ job_id: jobId(c), status } satisfies JobChanged, 202);
  })
  .post('/:id/retry', async (c) => {
    const status = unwrap(await jobObject(c).retry(nameOf(c.get('principal'))));
    return c.json({ job_id: jobId(c), status } satisfies JobChanged, 202);
  })
  .delete('/:id', async (c) => {
    unwrap(await jobObject(c).delete(nameOf(c.get('principal'))));
    return c.json({ job_id: jobId(c), status: 'deleted' } satisfies JobDeleted, 202);
  })
  .get('/:id/outputs/*', outputs);
