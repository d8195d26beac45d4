/**
 * What an operator tells the edge by variables: settings with their limits and defaults, and the secrets. Here so that
 * the reference and the tools name what the Worker reads, in the same words.
 */
import { z } from 'zod';

const DAY_MS = 86_400_000;

const whole = (min: number, max = Number.MAX_SAFE_INTEGER) => z.coerce.number().pipe(z.int().min(min).max(max));
const list = (text: string, min: number) =>
  z
    .string()
    .default(text)
    .transform((value) => value.split(',').map(Number))
    .pipe(z.array(z.int().min(min)).min(1));

export const EdgeSettings = z.object({
  LEASE_MS: whole(100)
    .default(30_000)
    .describe('How long a lease holds without a report of its transcoder, in ms. Then the job goes to another one.'),
  RING_AGAIN_MS: list('60000,300000,900000,3600000', 100).describe(
    'When a job that stays pending is put into the queue again: ms after the time before, comma-separated; the last repeats.',
  ),
  SWEEP_AGAIN_MS: whole(100)
    .default(600_000)
    .describe('After how many ms storage is swept a second time, for what was on its way during the first.'),
  RETENTION_DAYS: whole(1, 3650)
    .default(7)
    .describe('How many days a job is kept after its end, unless its options say otherwise; also events of webhooks.'),
  UPLOAD_SILENCE_MS: whole(100)
    .default(600_000)
    .describe('How long the body of a request may be silent before it is given up, in ms.'),
  UPLOAD_EXPIRY_MS: whole(100, 6 * DAY_MS)
    .default(DAY_MS)
    .describe(
      'How long a resumable upload, or the fetching of a URL, may take, in ms. R2 itself keeps parts for seven days.',
    ),
  MAX_UPLOAD_BYTES: whole(1, 10_000 * 8 * 2 ** 20)
    .default(5 * 2 ** 30)
    .describe('The largest source that is accepted, in bytes. R2 allows 10,000 parts of 8 MiB.'),
  FETCH_SLICE_MS: whole(100, 600_000)
    .default(300_000)
    .describe(
      "How long a URL is fetched from in one go, in ms; then it is another message's turn. Queues allow 15 minutes.",
    ),
  FETCH_SILENCE_MS: whole(100, 120_000)
    .default(30_000)
    .describe('How long the server of a URL may take to answer, and be silent while it sends, in ms.'),
  FETCH_SCHEDULE_MS: list('1000,5000,15000,60000,300000', 0).describe(
    'When a URL is tried again: ms after the attempt before, comma-separated; then it is given up.',
  ),
  MAX_WATCHERS_PER_JOB: whole(1).default(10_000).describe('How many may watch one job at once.'),
  OUTPUT_BUCKET_NAME: z
    .string()
    .default('reelwire-output')
    .describe('Name of the output bucket, shown as `bucket` of a job.'),
  WEBHOOK_SCHEDULE_MS: list('0,5000,300000,1800000,7200000,18000000,36000000,43200000,43200000', 0).describe(
    'When an event is sent to a webhook endpoint: ms after the attempt before, comma-separated; then it has failed.',
  ),
  WEBHOOK_TIMEOUT_MS: whole(100).default(15_000).describe('How long a receiver of webhooks may take to answer, in ms.'),
  WEBHOOK_GIVE_UP_MS: whole(100)
    .default(DAY_MS)
    .describe('An endpoint to which every delivery has failed for so many ms is disabled.'),
  ALLOW_PRIVATE_URLS: z
    .string()
    .optional()
    .transform((value) => value === '1')
    .describe('`1`, for development: URLs given by users may lead to any host and port, this machine included.'),
  RESOLVER_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://cloudflare-dns.com/dns-query')
    .describe('Where host names in URLs of users are resolved: DNS over HTTPS, with answers in JSON.'),
});
export type EdgeSettings = z.infer<typeof EdgeSettings>;

const secret = (about: string) => z.string().optional().describe(about);

export const EdgeAccess = z.object({
  REELWIRE_OPEN: secret(
    '`1` opens every route to requests with a loopback Host. It stands in `.dev.vars`, which only `wrangler dev` reads.',
  ),
  TOKEN_SECRET: secret('Secret. Signs job, upload and session tokens; without it nobody gets in.'),
  TOKEN_SECRET_PREVIOUS: secret('Secret. The one before it, which still verifies while you change it.'),
  TRANSCODER_TOKEN: secret("Secret. The transcoders' bearer token; without it no transcoder gets in."),
  TRANSCODER_TOKEN_PREVIOUS: secret('Secret. The one before it, still valid while you change it.'),
  ALLOWED_ORIGINS: secret(
    'Where pages that may read answers come from, comma-separated: `https://example.com`. Empty: only our own.',
  ),
});

/** The variables as the platform hands them over. */
export type EdgeVariables = { [name in keyof EdgeSettings | keyof z.infer<typeof EdgeAccess>]?: string };
