/** The stream of one job. The job's object answers it itself; here it gets its address, its headers and its errors. */
import type { Context } from 'hono';
import type { Env } from '../durable/env.ts';
import type { App } from './app.ts';
import { jobId, jobNotFound } from './job-object.ts';
import { ProblemError } from './problems.ts';

export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

/** The client's last event id; the header wins over both spellings in the query. Empty when there is none. */
export function lastEventId(c: Context<App>): string {
  const { last_event_id, lastEventId } = c.req.query();
  return (c.req.header('Last-Event-ID') ?? last_event_id ?? lastEventId ?? '').trim();
}

/** 200 with the stream, 204 when it has ended and `after` was its end, 404 for an unknown job, 429 when it is full. */
export function openStream(env: Env, job: string, after: string, signal: AbortSignal): Promise<Response> {
  const address = new URL('https://job/stream');
  address.searchParams.set('after', after);
  return env.JOB.getByName(job).fetch(address.href, { signal });
}

export async function stream(c: Context<App, '/:id/*'>): Promise<Response> {
  const { status, body } = await openStream(c.env, jobId(c), lastEventId(c), c.req.raw.signal);
  if (status === 404) throw jobNotFound();
  if (status === 429) throw tooManyWatchers();
  if (status === 204) return c.body(null, 204);
  return new Response(body, { headers: STREAM_HEADERS });
}

export const tooManyWatchers = (): ProblemError =>
  new ProblemError('too_many_watchers', 'So many watch this job that no more can. Try again in a moment.', {
    'Retry-After': '30',
  });
