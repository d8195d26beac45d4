/** What the platform hands to the Worker and its objects: bindings, secrets, and settings with their defaults. */
import { z } from 'zod';
import type { FetchCall } from '../contract/fetch.ts';
import type { Doorbell } from '../contract/transcoder.ts';
import type { IdempotencyKey } from './idempotency-key.ts';
import type { Job } from './job/job.ts';
import type { PullQueue } from './pull-queue.ts';
import type { Upload } from './upload/upload.ts';
import type { Webhook } from './webhook/webhook.ts';

export interface Env {
  JOB: DurableObjectNamespace<Job>;
  UPLOAD: DurableObjectNamespace<Upload>;
  WEBHOOK: DurableObjectNamespace<Webhook>;
  IDEMPOTENCY: DurableObjectNamespace<IdempotencyKey>;
  FLEET: DurableObjectNamespace;
  /** The local stand-in for the pull API of Cloudflare Queues; not bound in production. */
  PULL_QUEUE?: DurableObjectNamespace<PullQueue>;
  INPUT: R2Bucket;
  OUTPUT: R2Bucket;
  TRANSCODE_QUEUE: Queue<Doorbell>;
  /** For jobs with `priority: high`; transcoders look into it first. */
  TRANSCODE_QUEUE_HIGH: Queue<Doorbell>;
  /** Jobs whose source is to be fetched from a URL. */
  FETCH_QUEUE: Queue<FetchCall>;
  /** The list of jobs, the keys, the list of webhook endpoints. */
  DB: D1Database;
  /** The web app's files. */
  ASSETS: Fetcher;
  /** Requests per key, or per address where there is no key. */
  REQUEST_LIMIT: RateLimit;
  /** Keys that are none, per address. */
  SIGN_IN_LIMIT: RateLimit;

  /** `1` opens every route to requests with a loopback Host. Set by `.dev.vars`, which only `wrangler dev` reads. */
  REELWIRE_OPEN?: string;
  /** The transcoders' bearer token; during rotation the one before it is valid too. */
  TRANSCODER_TOKEN?: string;
  TRANSCODER_TOKEN_PREVIOUS?: string;

  /** Signs job, upload and session tokens; without it nobody gets in. The one before it still verifies. */
  TOKEN_SECRET?: string;
  TOKEN_SECRET_PREVIOUS?: string;
  /** Where pages that may read answers come from, comma-separated: `https://example.com`. Empty: only our own. */
  ALLOWED_ORIGINS?: string;

  LEASE_MS?: string;
  RETENTION_DAYS?: string;
  RING_AGAIN_MS?: string;
  SWEEP_AGAIN_MS?: string;
  UPLOAD_SILENCE_MS?: string;
  UPLOAD_EXPIRY_MS?: string;
  MAX_UPLOAD_BYTES?: string;
  FETCH_SLICE_MS?: string;
  FETCH_SILENCE_MS?: string;
  FETCH_SCHEDULE_MS?: string;
  MAX_WATCHERS_PER_JOB?: string;
  OUTPUT_BUCKET_NAME?: string;

  WEBHOOK_SCHEDULE_MS?: string;
  WEBHOOK_TIMEOUT_MS?: string;
  WEBHOOK_GIVE_UP_MS?: string;

  ALLOW_PRIVATE_URLS?: string;
  RESOLVER_URL?: string;
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
  /** How long the body of a request may be silent before it is given up, in ms. */
  UPLOAD_SILENCE_MS: z.coerce.number().pipe(z.int().min(100)).default(600_000),
  /** How long a resumable upload, or the fetching of a URL, may take, in ms. R2 itself keeps parts for seven days. */
  UPLOAD_EXPIRY_MS: z.coerce
    .number()
    .pipe(
      z
        .int()
        .min(100)
        .max(6 * 86_400_000),
    )
    .default(86_400_000),
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
  /** How long a URL is fetched from in one go, in ms; then it is another message's turn. Queues allow 15 minutes. */
  FETCH_SLICE_MS: z.coerce.number().pipe(z.int().min(100).max(600_000)).default(300_000),
  /** How long the server of a URL may take to answer, and be silent while it sends, in ms. */
  FETCH_SILENCE_MS: z.coerce.number().pipe(z.int().min(100).max(120_000)).default(30_000),
  /** When a URL is tried again: ms after the attempt before, comma-separated; then it is given up. */
  FETCH_SCHEDULE_MS: z
    .string()
    .default('1000,5000,15000,60000,300000')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(0)).min(1)),
  /** How many may watch one job at once. */
  MAX_WATCHERS_PER_JOB: z.coerce.number().pipe(z.int().min(1)).default(10_000),
  /** Name of the output bucket, shown as `bucket` of a job. */
  OUTPUT_BUCKET_NAME: z.string().default('reelwire-output'),
  /** When an event is sent to a webhook endpoint: ms after the attempt before, comma-separated; then it has failed. */
  WEBHOOK_SCHEDULE_MS: z
    .string()
    .default('0,5000,300000,1800000,7200000,18000000,36000000,43200000,43200000')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(0)).min(1)),
  /** How long a receiver of webhooks may take to answer, in ms. */
  WEBHOOK_TIMEOUT_MS: z.coerce.number().pipe(z.int().min(100)).default(15_000),
  /** An endpoint to which every delivery has failed for so many ms is disabled. */
  WEBHOOK_GIVE_UP_MS: z.coerce.number().pipe(z.int().min(100)).default(86_400_000),
  /** `1`, for development: URLs given by users may lead to any host and port, this machine included. */
  ALLOW_PRIVATE_URLS: z
    .string()
    .optional()
    .transform((value) => value === '1'),
  /** Where host names are resolved: DNS over HTTPS, with answers in JSON. */
  RESOLVER_URL: z.url({ protocol: /^https?$/ }).default('https://cloudflare-dns.com/dns-query'),
});

export const settings = (env: Env): z.infer<typeof Settings> => Settings.parse(env);
