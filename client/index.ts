/** Everything a program may use, but for the React hook, which is `reelwire-client/react`. */
export { Reelwire } from './client.ts';
export type { Delay } from './delay.ts';
export { ApiError, UploadError, type UploadErrorCode, WatchError, type WatchErrorCode } from './errors.ts';
export type { EndEvent, EventData, EventName, StatusData, StreamEvent, Unavailable } from './events.ts';
export { fileUploadStore } from './file-upload-store.ts';
export { jobAfter } from './job-view.ts';
export type { Changed, Deleted, EventsOptions, ListOptions, SubmitOptions } from './jobs.ts';
export type { ReelwireOptions, WatchManyOptions, WatchOptions } from './options.ts';
export type { EventSourceClass, EventSourceLike } from './over-event-source.ts';
export type { Fetch } from './over-fetch.ts';
export type { ConnectionState } from './run.ts';
export type {
  Accepted,
  DeliveriesPage,
  Delivery,
  EventType,
  Job,
  JobOptions,
  JobResult,
  JobSummary,
  JobsPage,
  Metadata,
  Playback,
  Rendition,
  Stage,
  Status,
  VisibleEntry,
  Webhook,
  WebhookEvent,
  WebhooksPage,
  WebhookWithSecret,
} from './types.ts';
export type { UploadStore } from './upload-store.ts';
export type { Uploaded, UploadOptions, UploadProgress } from './uploads.ts';
export type { Watch } from './watch.ts';
export type { WatchMany } from './watch-many.ts';
export type { NewWebhook, WebhookDeleted, WebhookPaging } from './webhooks.ts';
