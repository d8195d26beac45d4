/** The job that a request's path names, and its object. */
import type { Context } from 'hono';
import { JobId } from '../contract/ids.ts';
import type { Job } from '../durable/job/job.ts';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

/** The id in the path, or a problem that says it is none. The request's line in the log names it. */
export function jobId(c: Context<App, '/:id/*'>): string {
  const { success, data } = JobId.safeParse(c.req.param('id'));
  if (!success) throw new ProblemError('invalid_job_id', 'A job id is a UUID, as POST /process answered it.');
  c.set('job', data);
  return data;
}

export const jobObject = (c: Context<App, '/:id/*'>): DurableObjectStub<Job> => c.env.JOB.getByName(jobId(c));

export const jobNotFound = (): ProblemError =>
  new ProblemError('job_not_found', 'There is no job with this id; it may have been deleted.');
