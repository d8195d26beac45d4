/** What an upload object remembers besides the bytes, and what others tell it. */
import { z } from 'zod';
import { WebhookId } from '../../contract/ids.ts';
import { JobOptions, Key, Metadata } from '../../contract/job.ts';
import type { TaskError } from '../../contract/transcoder.ts';

/** R2 wants parts of equal size, 5 MiB at least; only the last may be smaller. */
export const PART_BYTES = 8 * 2 ** 20;

/** What the sender said about the video; `webhook` is the endpoint of its `webhook_url`. */
export const Description = z.object({
  key: Key,
  metadata: Metadata,
  options: JobOptions,
  content_type: z.string(),
  /** Who sent it. */
  by: z.string().default('the API'),
  webhook: WebhookId.nullish(),
});
export type Description = z.infer<typeof Description>;

const Common = z.object({
  job_id: z.string(),
  /** R2's name for the upload; null before the first part. */
  upload_id: z.string().nullable(),
  tries: z.int(),
});

/** A body that is streamed to R2 by the Worker. It becomes a job when it is whole: then it has a description. */
export const StreamedUpload = Common.extend({
  via: z.literal('body'),
  upload_id: z.string(),
  description: Description.nullable(),
});
export type StreamedUpload = z.infer<typeof StreamedUpload>;

/** Of a source that is fetched from a URL, slice by slice. */
export const Fetching = z.object({
  /** The run of the job that it is fetched for. */
  run: z.int(),
  /** The number of the last slice; others may bring no bytes. */
  slice: z.int(),
  /** The offset at which it began. */
  from: z.int(),
  /** Milliseconds since 1970: until then it is believed to be at work. */
  busy_until: z.int(),
  /** Whether the last one ended as a body ends whose length nobody has said. */
  ended: z.boolean(),
  /** Slices in a row that ended badly. */
  failures: z.int(),
  /** What tells one version of the source from another, as its server said it. */
  etag: z.string().nullable(),
  last_modified: z.string().nullable(),
});
export type Fetching = z.infer<typeof Fetching>;

/**
 * A file that comes in pieces, for a job that is already there. `open`: bytes are wanted. `whole`: all are here, and R2
 * has to put them together, or the job to be told. `done`: the job has its source. `closed`: the job ended without.
 */
export const ResumableUpload = Common.extend({
  via: z.literal('pieces'),
  phase: z.enum(['open', 'whole', 'done', 'closed']),
  /** Whose it is; null where nobody has to say who they are. */
  owner: z.string().nullable(),
  /** In bytes; null while the sender has not said it. */
  length: z.int().nullable(),
  max_bytes: z.int(),
  content_type: z.string(),
  /** As the sender wrote it, to be said again. */
  metadata: z.string().nullable(),
  /** Null when it is sent to us. */
  fetching: Fetching.nullable().default(null),
  /** Milliseconds since 1970. */
  expires_at: z.int(),
});
export type ResumableUpload = z.infer<typeof ResumableUpload>;

export const StoredUpload = z.discriminatedUnion('via', [StreamedUpload, ResumableUpload]);
export type StoredUpload = z.infer<typeof StoredUpload>;

export type NewUpload = Pick<
  ResumableUpload,
  'job_id' | 'owner' | 'length' | 'max_bytes' | 'content_type' | 'metadata'
> & { fetching?: Fetching };

/** For whom an upload is asked for: its owner, or, with null, somebody for whom all uploads are there. */
export type Caller = string | null;

/** How far an upload is. `expires_at` is null when it is whole. */
export interface Position {
  offset: number;
  length: number | null;
  metadata: string | null;
  expires_at: number | null;
}

export interface Checksum {
  algorithm: 'sha1' | 'sha256';
  /** Base64. */
  digest: string;
}

/** What goes with bytes that are to be appended. */
export interface Piece {
  offset: number;
  /** How many bytes there are; null when the sender does not say. */
  size: number | null;
  /** The length of the whole file, if it is told with this piece. */
  length: number | null;
  checksum: Checksum | null;
}

/** What to fetch: for which job, in which of its runs. */
export interface FetchOrder {
  job_id: string;
  run: number;
  max_bytes: number;
}

/**
 * The bytes from `offset` on; of a source of this length and version, as far as that is known. `ended`: there may be no
 * more of them.
 */
export interface Slice {
  n: number;
  offset: number;
  ended: boolean;
  length: number | null;
  etag: string | null;
  last_modified: string | null;
}

/** What the source's server said about it. `length` in bytes; null when it did not say. */
export interface SourceFound {
  length: number | null;
  etag: string | null;
  last_modified: string | null;
  content_type: string;
}

/**
 * `whole`: there are no more bytes. `ended`: the body ended, and nobody has said how long it is. `sliced`: its time was
 * over. `wait_ms`: the next attempt comes no sooner.
 */
export type SliceEnd =
  | { is: 'whole' }
  | { is: 'ended' }
  | { is: 'sliced' }
  | { is: 'failed'; error: TaskError; isFinal: boolean; wait_ms: number };
