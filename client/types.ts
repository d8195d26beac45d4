/**
 * What the server says, as types: the contract's, and nothing but types, so that the built package needs no schemas.
 * The build puts declarations of the same names in the place of this file (declarations.ts).
 */
export type { Accepted, JobSummary, JobsPage } from '../src/contract/api.ts';
export type { VisibleEntry } from '../src/contract/entries.ts';
export type { Problem } from '../src/contract/errors.ts';
export type { Job, JobOptions, JobResult, Metadata, Playback, Rendition } from '../src/contract/job.ts';
export type { Stage, Status } from '../src/contract/stages.ts';
export type {
  DeliveriesPage,
  Delivery,
  EventType,
  Webhook,
  WebhookEvent,
  WebhooksPage,
  WebhookWithSecret,
} from '../src/contract/webhooks.ts';
