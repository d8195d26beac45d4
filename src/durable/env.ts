/** What the platform hands to the Worker and its objects: bindings, secrets, and settings with their defaults. */
import { z } from 'zod';
import type { Doorbell } from '../contract/transcoder.ts';
import type { Job } from './job/job.ts';
import type { PullQueue } from './pull-queue.ts';
import type { Upload } from './upload.ts';

export interface Env {
  JOB: DurableObjectNamespace<Job>;
  UPLOAD: DurableObjectNamespace<Upload>;
  FLEET: DurableObjectNamespace;
  /** The local stand-in for the pull API of Cloudflare Queues; not bound in production. */
  PULL_QUEUE?: DurableObjectNamespace<PullQueue>;
  INPUT: R2Bucket;
  OUTPUT: R2Bucket;
  TRANSCODE_QUEUE: Queue<Doorbell>;
  /** For jobs with `priority: high`; transcoders look into it first. */
  TRANSCODE_QUEUE_HIGH: Queue<Doorbell>;
  /** The list of jobs. */
  DB: D1Database;

  /** `1` opens every route to requests with a loopback Host. Set by `.dev.vars`, which only `wrangler dev` reads. */
  REELWIRE_OPEN?: string;
  /** The transcoders' bearer token; during rotation the one before it is valid too. */
  TRANSCODER_TOKEN?: string;
  TRANSCODER_TOKEN_PREVIOUS?: string;

  LEASE_MS?: string;
  RETENTION_DAYS?: string;
  RING_AGAIN_MS?: string;
  SWEEP_AGAIN_MS?: string;
  UPLOAD_SILENCE_MS?: string;
  MAX_UPLOAD_BYTES?: string;
  OUTPUT_BUCKET_NAME?: string;
}

const Settings = z.object({
  /** How long a lease holds without a report, in ms. */
  LEASE_MS: z.coerce.number().pipe(z.int().min(100)).default(30_000),
  /** When a job that stays pending is put into the queue again: ms after the time before, comma-separated; the last repeats. */
  RING_AGAIN_MS: z
    .string()
    .default('60000,300000,900000,3600000')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(100)).min(1)),
  /** After how many ms storage is swept a second time, for what was on its way during the first. */
  SWEEP_AGAIN_MS: z.coerce.number().pipe(z.int().min(100)).default(600_000),
  /** How long a job is kept after its end, unless its options say otherwise. */
  RETENTION_DAYS: z.coerce.number().pipe(z.int().min(1).max(3650)).default(7),
  /** How long an upload may be silent before it is given up, in ms. */
  UPLOAD_SILENCE_MS: z.coerce.number().pipe(z.int().min(100)).default(600_000),
  /** The largest source that is accepted, in bytes; 5 GiB. R2 allows 10,000 parts of 8 MiB. */
  MAX_UPLOAD_BYTES: z.coerce
    .number()
    .pipe(
      z
        .int()
        .min(1)
        .max(10_000 * 8 * 2 ** 20),
    )
    .default(5 * 2 ** 30),
  /** Name of the output bucket, shown as `bucket` of a job. */
  OUTPUT_BUCKET_NAME: z.string().default('reelwire-output'),
});

export const settings = (env: Env): z.infer<typeof Settings> => Settings.parse(env);
