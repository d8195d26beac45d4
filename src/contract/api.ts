/** Bodies of the public HTTP API that are not the job itself. */
import { z } from 'zod';
import { JobId } from './ids.ts';

/** 202 of `POST /process`. The two addresses are absolute. */
export const Accepted = z.object({
  job_id: JobId,
  message: z.literal('Video processing started'),
  status_url: z.url(),
  stream_url: z.url(),
});
export type Accepted = z.infer<typeof Accepted>;

export const Health = z.object({
  status: z.literal('healthy'),
  service: z.literal('reelwire'),
  version: z.string(),
  transcoders: z.object({ online: z.int(), busy: z.int(), slots: z.int() }),
});
export type Health = z.infer<typeof Health>;

/** `GET /jobs/:id/events?after=&limit=`: entries with `seq > after` (default 0), at most `limit` (1-1000, default 100). */
export const EventsQuery = z.strictObject({
  after: z.coerce.number().pipe(z.int().min(0)).default(0),
  limit: z.coerce.number().pipe(z.int().min(1).max(1000)).default(100),
});

/** `GET /streams?jobs=`: up to 50 job ids, separated by commas, none twice. */
export const StreamsQuery = z.object({
  jobs: z
    .string('name the jobs: ?jobs=ID,ID')
    .transform((text) => text.split(','))
    .pipe(z.array(JobId).max(50))
    .refine((ids) => new Set(ids).size === ids.length, 'a job is named twice'),
});
