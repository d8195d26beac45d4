/** Bodies of the public HTTP API that are not the job itself. */
import { z } from 'zod';
import { Entry } from './entries.ts';
import { JobId, WebhookId } from './ids.ts';
import { Job, JobOptions, Key, Metadata } from './job.ts';
import { Status } from './stages.ts';
import { WebhookUrl } from './webhooks.ts';

/**
 * `POST /jobs`: `source.url` is where the video is fetched from, http or https. `key` defaults to the file's name in it,
 * else `video`.
 */
export const JobRequest = z.strictObject({
  source: z.strictObject({ url: z.string().max(8192) }),
  key: Key.optional(),
  webhook_url: WebhookUrl.optional(),
  options: JobOptions.prefault({}),
  metadata: Metadata.default({}),
});

/**
 * 202 of `POST /process` and `POST /jobs`. The two addresses are absolute. `webhook` is there if `webhook_url` was
 * given: its endpoint, with the secret if this request has made it; an answer given again has no secret.
 */
export const Accepted = z.object({
  job_id: JobId,
  message: z.literal('Video processing started'),
  status_url: z.url(),
  stream_url: z.url(),
  webhook: z.object({ id: WebhookId, secret: z.string().nullable() }).optional(),
});
export type Accepted = z.infer<typeof Accepted>;

/** 201 of `POST /uploads`. Clients of tus go by its headers, and need nothing of this. */
export const UploadCreated = Accepted.pick({ job_id: true, stream_url: true, webhook: true });
export type UploadCreated = z.infer<typeof UploadCreated>;

export const Health = z.object({
  status: z.literal('healthy'),
  service: z.literal('reelwire'),
  version: z.string(),
  /** `open`: this is a development server, and everybody who reaches it may do everything. */
  mode: z.enum(['open', 'keys']),
  /** Versions of the transcoders' protocol that are spoken here. */
  protocols: z.array(z.int()),
  transcoders: z.object({ online: z.int(), busy: z.int(), slots: z.int() }),
});
export type Health = z.infer<typeof Health>;

/** `GET /ready`: database and storage answer. Otherwise 503 `not_ready`, whose detail says what does not. */
export const Ready = z.object({ status: z.literal('ready') });
export type Ready = z.infer<typeof Ready>;

/** `GET /jobs/:id/events?after=&limit=`: entries with `seq > after` (default 0), at most `limit` (1-1000, default 100). */
export const EventsQuery = z.strictObject({
  after: z.coerce.number().pipe(z.int().min(0)).default(0),
  limit: z.coerce.number().pipe(z.int().min(1).max(1000)).default(100),
});

/** `GET /jobs/:id/events`. Types that begin with `_` are shown to admin keys only. */
export const EventsPage = z.object({ events: z.array(Entry) });

/** 202 of cancel and retry. */
export const JobChanged = z.object({ job_id: JobId, status: Status });
export type JobChanged = z.infer<typeof JobChanged>;

/** 202 of `DELETE /jobs/:id`. */
export const JobDeleted = z.object({ job_id: JobId, status: z.literal('deleted') });
export type JobDeleted = z.infer<typeof JobDeleted>;

/** `GET /streams?jobs=`: up to 50 job ids, separated by commas, none twice. */
export const StreamsQuery = z.object({
  jobs: z
    .string('name the jobs: ?jobs=ID,ID')
    .transform((text) => text.split(','))
    .pipe(z.array(JobId).max(50))
    .refine((ids) => new Set(ids).size === ids.length, 'a job is named twice'),
});

/** A job as the list shows it. It may be a second behind the job's log, progress five. */
export const JobSummary = Job.pick({
  id: true,
  key: true,
  status: true,
  stage: true,
  progress: true,
  error: true,
  playback: true,
  created_at: true,
  updated_at: true,
  completed_at: true,
});
export type JobSummary = z.infer<typeof JobSummary>;

/** `GET /jobs`: `q` is what `key` begins with, in either case; `limit` defaults to 20. */
export const JobsQuery = z.strictObject({
  status: Status.optional(),
  q: z.string().max(255).optional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(20),
  cursor: z.string().max(200).optional(),
});
export type JobsQuery = z.infer<typeof JobsQuery>;

/** Newest first. `next_cursor` asks for the page after this one; null on the last. */
export const JobsPage = z.object({ jobs: z.array(JobSummary), next_cursor: z.string().nullable() });
export type JobsPage = z.infer<typeof JobsPage>;
