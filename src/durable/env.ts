/** What the platform hands to the Worker and its objects: bindings, and variables (src/contract/settings.ts). */
import type { FetchCall } from '../contract/fetch.ts';
import { EdgeSettings, type EdgeVariables } from '../contract/settings.ts';
import type { Doorbell } from '../contract/transcoder.ts';
import type { IdempotencyKey } from './idempotency-key.ts';
import type { Job } from './job/job.ts';
import type { PullQueue } from './pull-queue.ts';
import type { Upload } from './upload/upload.ts';
import type { Webhook } from './webhook/webhook.ts';

export interface Env extends EdgeVariables {
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
}

export const settings = (env: Env): EdgeSettings => EdgeSettings.parse(env);
