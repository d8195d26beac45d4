/**
 * Webhooks: the endpoints, the events that are sent to them, and the log of the attempts. An event's body is
 * `{ type, timestamp, data }` as Standard Webhooks has it, at most `MAX_BODY_BYTES` long.
 */
import { z } from 'zod';
import { JobErrorCode } from './errors.ts';
import { JobId, RenditionName, WebhookId } from './ids.ts';
import { JobResult, Key, Metadata, Playback } from './job.ts';
import { Stage, Status } from './stages.ts';

export const MAX_BODY_BYTES = 20_000;

/** `job.playable` comes once per run, `job.progress` at most every 10 s and only to endpoints that ask for it. */
export const EventType = z.enum([
  'job.created',
  'job.playable',
  'job.completed',
  'job.failed',
  'job.cancelled',
  'job.progress',
]);
export type EventType = z.infer<typeof EventType>;

const USUAL_EVENTS = EventType.options.filter((type) => type !== 'job.progress');

const Events = z
  .array(EventType)
  .min(1)
  .refine((types) => new Set(types).size === types.length, 'an event is named twice');

export const WebhookUrl = z.string().max(2048);
const Description = z.string().max(255);

/** `POST /webhooks`. */
export const WebhookRequest = z.strictObject({
  url: WebhookUrl,
  events: Events.default(USUAL_EVENTS),
  description: Description.nullable().default(null),
});
export type WebhookRequest = z.infer<typeof WebhookRequest>;

/** `PATCH /webhooks/:id`: what is left out stays as it is. */
export const WebhookChange = z.strictObject({
  url: WebhookUrl.optional(),
  events: Events.optional(),
  description: Description.nullable().optional(),
});
export type WebhookChange = z.infer<typeof WebhookChange>;

/** `POST /webhooks/:id/rotate`: how long the secret before signs beside the new one. */
export const RotateRequest = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(86_400),
});

/**
 * `failing`: the last deliveries failed one after the other; events are kept while one at a time is tried.
 * `disabled`: nothing is sent; events of jobs that know the endpoint are kept, and are sent once it is enabled.
 */
const WebhookStatus = z.enum(['enabled', 'failing', 'disabled']);

/** Why an endpoint is not simply enabled. `gone`: it answered 410. `gave_up`: every delivery failed for a day. */
export const TroubleCode = z.enum(['failing', 'by_request', 'gone', 'gave_up']);
export type TroubleCode = z.infer<typeof TroubleCode>;

/** `implicit`: made by the `webhook_url` of a job, and used by jobs with that `webhook_url` only. */
export const Webhook = z.object({
  id: WebhookId,
  url: z.string(),
  events: z.array(EventType),
  description: z.string().nullable(),
  implicit: z.boolean(),
  status: WebhookStatus,
  trouble: z.object({ code: TroubleCode, message: z.string(), since: z.iso.datetime() }).nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type Webhook = z.infer<typeof Webhook>;

/** 201 of `POST /webhooks`, and what rotation answers: the only times the secret is told. */
export const WebhookWithSecret = Webhook.extend({ secret: z.string() });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

/** 200 of `DELETE /webhooks/:id`. */
export const WebhookDeleted = z.object({ id: WebhookId, status: z.literal('deleted') });
export type WebhookDeleted = z.infer<typeof WebhookDeleted>;

/** `GET /webhooks`. */
export const WebhooksQuery = z.strictObject({
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(20),
  cursor: z.string().max(200).optional(),
});

/** Newest first. `next_cursor` asks for the page after this one; null on the last. */
export const WebhooksPage = z.object({ webhooks: z.array(Webhook), next_cursor: z.string().nullable() });
export type WebhooksPage = z.infer<typeof WebhooksPage>;

/** `msg_` and 32 hexadecimal digits: the `webhook-id` of every attempt. */
export const EventId = z.string().regex(/^msg_[0-9a-f]{32}$/);

/**
 * Why an attempt failed. `http_error`: an answer that is not 2xx; `redirect`: 3xx, which is not followed; `gone`: 410.
 * `url_refused`: the address may not be used (any more), or cannot be resolved; nothing was sent. `interrupted`: the
 * server was restarted meanwhile; whether the event arrived is not known.
 */
export const AttemptError = z.enum([
  'http_error',
  'redirect',
  'gone',
  'timeout',
  'connection_failed',
  'url_refused',
  'interrupted',
]);
export type AttemptError = z.infer<typeof AttemptError>;

/** `answer`: the first 1024 bytes of the body. `probe`: made while the endpoint was failing, and not counted. */
export const Attempt = z.object({
  at: z.iso.datetime(),
  status: z.int().nullable(),
  latency_ms: z.int(),
  answer: z.string().nullable(),
  error: AttemptError.nullable(),
  probe: z.boolean(),
});
export type Attempt = z.infer<typeof Attempt>;

/** `failed`: all attempts are used; it can be redelivered. */
export const DeliveryState = z.enum(['pending', 'sending', 'delivered', 'failed']);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** An event and what became of it. `job_id` and `seq` are null for a test event. */
export const Delivery = z.object({
  event_id: EventId,
  type: z.string(),
  job_id: JobId.nullable(),
  seq: z.int().nullable(),
  state: DeliveryState,
  next_attempt_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
  attempts: z.array(Attempt),
});
export type Delivery = z.infer<typeof Delivery>;

/** `GET /webhooks/:id/deliveries`. */
export const DeliveriesQuery = z.strictObject({
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(20),
  cursor: z.coerce.number().pipe(z.int().min(1)).optional(),
});

export const DeliveriesPage = z.object({ deliveries: z.array(Delivery), next_cursor: z.string().nullable() });
export type DeliveriesPage = z.infer<typeof DeliveriesPage>;

/** What the data of every event of a job carries: the job as it was at entry `seq` of its log. */
const Subject = z.object({
  job_id: JobId,
  seq: z.int().min(1),
  key: Key,
  metadata: Metadata,
  status: Status,
  stage: Stage,
  progress: z.int().min(0).max(100),
  message: z.string(),
});

const event = <const T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.object({ type: z.literal(type), timestamp: z.iso.datetime(), data });

/** Bodies of events. The list of artifacts is null where the body would be too long with it. */
export const WebhookEvent = z.discriminatedUnion('type', [
  event('job.created', Subject),
  event('job.playable', Subject.extend({ playback: Playback, renditions: z.array(RenditionName) })),
  event(
    'job.completed',
    Subject.extend({ result: JobResult.extend({ artifacts: JobResult.shape.artifacts.nullable() }) }),
  ),
  event(
    'job.failed',
    Subject.extend({ error: z.object({ code: JobErrorCode, message: z.string(), retryable: z.boolean() }) }),
  ),
  event('job.cancelled', Subject.extend({ by: z.string() })),
  event('job.progress', Subject.extend({ eta_seconds: z.number().nullable() })),
  event('webhook.test', z.object({ webhook_id: WebhookId })),
]);
export type WebhookEvent = z.infer<typeof WebhookEvent>;
export type JobWebhookEvent = Extract<WebhookEvent, { type: EventType }>;
