/**
 * The log. Every entry is `{ seq, type, at, data }`. Types that begin with `_` are internal: they carry what later
 * decisions need and are never streamed. All others go to watchers as they are: `id` is the seq, `event` the type,
 * `data` one JSON line.
 */
import { z } from 'zod';
import { JobErrorCode } from './errors.ts';
import { ArtifactFile, ArtifactName, JobId, LeaseNumber, RenditionName, Task, WebhookId } from './ids.ts';
import { JobOptions, JobResult, Key, Metadata, Plan, Playback, TakeSegment, Vmaf } from './job.ts';
import { Stage, Status } from './stages.ts';

/** What `data` of every visible entry carries. `timestamp` is ISO 8601 in UTC. */
const Visible = z.object({
  job_id: JobId,
  status: Status,
  stage: Stage,
  progress: z.int().min(0).max(100),
  message: z.string(),
  timestamp: z.iso.datetime(),
});

/** One rendition's share of a `progress`: `percent` 0-100, `fps` frames encoded per second, `speed` as a multiple of real time. */
export const RenditionProgress = z.object({
  name: RenditionName,
  resolution: z.string(),
  percent: z.number().min(0).max(100),
  fps: z.number().nullable(),
  speed: z.number().nullable(),
});
export type RenditionProgress = z.infer<typeof RenditionProgress>;

export const ProgressDetails = z.object({
  renditions: z.array(RenditionProgress),
  completed: z.int(),
  total: z.int(),
  eta_seconds: z.number().nullable(),
  attempt: z.int(),
});
export type ProgressDetails = z.infer<typeof ProgressDetails>;

/** The `progress` that follows a `rendition`. */
export const RenditionDone = z.object({ resolution: z.string(), completed: z.int(), total: z.int() });
export type RenditionDone = z.infer<typeof RenditionDone>;

/** A `progress` of the stage `uploading`; `bytes_total` is null while the sender has not said it. */
export const UploadProgress = z.object({ bytes_received: z.int().min(0), bytes_total: z.int().min(1).nullable() });
export type UploadProgress = z.infer<typeof UploadProgress>;

export const WarningCode = z.enum([
  'transcoder_lost',
  'attempt_failed',
  'tracks_dropped',
  'incomplete_source',
  'decode_errors',
  'vmaf_unavailable',
  'low_quality',
]);
export type WarningCode = z.infer<typeof WarningCode>;

/** A file of an artifact as it was stored. */
export const StoredFile = z.object({ name: ArtifactFile, bytes: z.int().min(1) });
export type StoredFile = z.infer<typeof StoredFile>;

const Source = z.object({ size_bytes: z.int().min(1), content_type: z.string() });

const entry = <const T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.object({ seq: z.int().min(1), type: z.literal(type), at: z.int().min(0), data });

const visible = <const T extends string, D extends z.ZodType>(type: T, details: D) =>
  entry(type, Visible.extend({ details }));

/** `at` is the job object's clock in milliseconds since 1970. */
export const Entry = z.discriminatedUnion('type', [
  entry(
    '_job',
    z.object({
      job_id: JobId,
      key: Key,
      bucket: z.string(),
      /** Null while the source is being uploaded; `_source` follows. */
      source: Source.nullable(),
      /** Where it is fetched from; null when it is sent to us. Its query may hold a signature: not to be shown. */
      url: z.string().nullable().default(null),
      options: JobOptions,
      metadata: Metadata,
    }),
  ),
  /** The source is whole. */
  entry('_source', Source),
  entry('_lease', z.object({ task: Task, lease: LeaseNumber, transcoder: z.string(), request_id: z.string() })),
  entry('_plan', Plan),
  entry('_segments', z.object({ commits: z.array(TakeSegment).min(1) })),
  entry('_artifact', z.object({ name: ArtifactName, take: LeaseNumber, files: z.array(StoredFile).min(1) })),
  /** `take` is null when the segments come from several. */
  entry('_rendition', z.object({ name: RenditionName, take: LeaseNumber.nullable(), segments: z.int().min(1) })),
  /** Endpoints that hear of the job from now on. */
  entry('_webhooks', z.object({ endpoints: z.array(WebhookId).min(1) })),
  entry('_deleted', z.object({ by: z.string() })),

  visible(
    'state',
    z.object({
      state: z.enum(['created', 'queued', 'leased', 'released', 'retried']),
      attempt: z.int(),
      transcoder: z.string().nullable(),
      /** Who created or retried the job. */
      by: z.string().nullable().default(null),
    }),
  ),
  visible('stage', z.null()),
  visible('progress', z.union([ProgressDetails, RenditionDone, UploadProgress, z.null()])),
  visible('rendition', z.object({ name: RenditionName, resolution: z.string(), vmaf: Vmaf.nullable() })),
  visible('playable', z.object({ playback: Playback, renditions: z.array(RenditionName) })),
  visible('warning', z.object({ code: WarningCode }).loose()),
  visible('complete', z.object({ result: JobResult })),
  visible('error', z.object({ code: JobErrorCode, retryable: z.boolean() })),
  visible('cancelled', z.object({ by: z.string() })),
]);
export type Entry = z.infer<typeof Entry>;
export type EntryType = Entry['type'];
export type VisibleEntry = Exclude<Entry, { type: `_${string}` }>;
export type EntryData<T extends EntryType> = Extract<Entry, { type: T }>['data'];

export const isVisible = (entry: Entry): entry is VisibleEntry => !entry.type.startsWith('_');

/** The entries that end a run: nothing follows them except by retry. */
export const endsRun = ({ type }: { type: string }): boolean =>
  type === 'complete' || type === 'error' || type === 'cancelled';
