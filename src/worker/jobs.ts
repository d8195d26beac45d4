/** The public routes of one job. */
import { type Context, Hono } from 'hono';
import { EventsQuery } from '../contract/api.ts';
import { JobId } from '../contract/ids.ts';
import type { Job } from '../durable/job/job.ts';
import type { App } from './app.ts';
import { outputs } from './outputs.ts';
import { ProblemError, parse, unwrap } from './problems.ts';

/** The id in the path, or a problem that says it is none. */
export function jobId(c: Context<App, '/:id/*'>): string {
  const { success, data } = JobId.safeParse(c.req.param('id'));
  if (!success) throw new ProblemError('invalid_job_id', 'A job id is a UUID, as POST /process answered it.');
  return data;
}

export const jobObject = (c: Context<App, '/:id/*'>): DurableObjectStub<Job> => c.env.JOB.getByName(jobId(c));

const jobNotFound = (): ProblemError =>
  new ProblemError('job_not_found', 'There is no job with this id; it may have been deleted.');

export const jobs = new Hono<App>()
  .get('/:id', async (c) => {
    const job = await jobObject(c).view();
    if (!job) throw jobNotFound();
    return c.json(job);
  })
  .get('/:id/stream', stream)
  .get('/:id/events', async (c) => {
    if (/\btext\/event-stream\b/.test(c.req.header('Accept') ?? '')) return stream(c);
    const { after, limit } = parse(EventsQuery, c.req.query());
    return c.json({ events: unwrap(await jobObject(c).events(after, limit)) });
  })
  .post('/:id/cancel', async (c) => {
    const status = unwrap(await jobObject(c).cancel('the API'));
    return c.json({ job_id: jobId(c), status }, 202);
  })
  .post('/:id/retry', async (c) => {
    const status = unwrap(await jobObject(c).retry());
    return c.json({ job_id: jobId(c), status }, 202);
  })
  .get('/:id/outputs/*', outputs);

/** The job object answers the stream itself; the header wins over both spellings in the query. */
async function stream(c: Context<App, '/:id/*'>): Promise<Response> {
  const { last_event_id, lastEventId } = c.req.query();
  const after = c.req.header('Last-Event-ID') ?? last_event_id ?? lastEventId ?? '';
  const address = new URL('https://job/stream');
  address.searchParams.set('after', after.trim());
  const { status, body } = await jobObject(c).fetch(address.href, { signal: c.req.raw.signal });
  if (status === 404) throw jobNotFound();
  if (status === 204) return c.body(null, 204);
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    },
  });
}
