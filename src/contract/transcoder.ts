/** What a transcoder and the edge say to each other (`/internal`, bearer token), and the queue's message. */
import { z } from 'zod';
import { ProgressDetails, StoredFile, WarningCode } from './entries.ts';
import { JobErrorCode } from './errors.ts';
import { ArtifactName, JobId, LeaseNumber, RenditionName, Task } from './ids.ts';
import { Commit, JobOptions, Plan, Sha256, Vmaf } from './job.ts';
import { Stage, Status } from './stages.ts';

/**
 * The version of this protocol. A transcoder says with every request what it speaks (none said is 1), the edge says in
 * `/health` and with every answer all that it speaks. What may be added without a new version: fields in answers, which
 * older transcoders pass over.
 */
export const PROTOCOL = 1;
export const PROTOCOLS: readonly number[] = [1];
export const PROTOCOL_HEADER = 'Reelwire-Protocol';

/** A message of the transcode queue: a doorbell, no more. Whether there is work, the lease decides. */
export const Doorbell = z.object({ job_id: JobId, task: Task });
export type Doorbell = z.infer<typeof Doorbell>;

/** Opaque, chosen by the transcoder: its own name, and one per lease call, so that a repeated call is recognised. */
const Label = z.string().regex(/^[\w.:-]{1,128}$/);

export const LeaseRequest = z.strictObject({ task: Task, transcoder: Label, request_id: Label });
export type LeaseRequest = z.infer<typeof LeaseRequest>;

/**
 * What readers have of a rendition: its segments from 1 on without a gap, in runs of the take that made them.
 * `init_sha256`: of the init segment, which all these takes share; null when they differ, so that nothing can be added
 * to them. `ended`: the last video segment is shorter than the grid, so no more can follow. `whole`: nothing is to be made.
 */
export const Committed = z.object({
  rendition: RenditionName,
  runs: z.array(z.object({ take: LeaseNumber, from: z.int().min(1), to: z.int().min(1) })).min(1),
  init_sha256: Sha256.nullable(),
  ended: z.boolean(),
  whole: z.boolean(),
});
export type Committed = z.infer<typeof Committed>;

/**
 * `lease_ms`: how long the lease holds after each report. `committed`, `validated` and `artifacts`: what earlier
 * attempts have done.
 */
export const LeaseGrant = z.object({
  lease: LeaseNumber,
  lease_ms: z.int(),
  attempt: z.int(),
  source: z.object({ size_bytes: z.int(), content_type: z.string() }),
  options: JobOptions,
  plan: Plan.nullable(),
  committed: z.array(Committed),
  validated: z.array(RenditionName),
  artifacts: z.array(ArtifactName),
});
export type LeaseGrant = z.infer<typeof LeaseGrant>;

/** What a transcoder has to say about its task. `progress` is percent of the whole job. */
export const TaskEntry = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('plan'), plan: Plan }),
  z.strictObject({
    type: z.literal('stage'),
    stage: Stage.extract(['transcoding', 'validation', 'packaging']),
    message: z.string().max(500),
  }),
  z.strictObject({
    type: z.literal('progress'),
    stage: Stage.extract(['transcoding', 'validation', 'packaging']),
    progress: z.int().min(0).max(100),
    message: z.string().max(500),
    details: ProgressDetails,
  }),
  /**
   * Every segment 1..`segments` of the rendition is committed: all by this lease, or by takes with the same init
   * segment.
   */
  z.strictObject({ type: z.literal('rendition'), name: RenditionName, segments: z.int().min(1) }),
  /** The rendition was compared with the source. */
  z.strictObject({ type: z.literal('validated'), name: RenditionName, vmaf: Vmaf }),
  /** Every file of the artifact is stored by this lease. */
  z.strictObject({ type: z.literal('artifact'), name: ArtifactName, files: z.array(StoredFile).min(1).max(1000) }),
  z.strictObject({
    type: z.literal('warning'),
    code: WarningCode.exclude(['transcoder_lost', 'attempt_failed']),
    message: z.string().max(500),
    details: z.record(z.string(), z.unknown()),
  }),
]);
export type TaskEntry = z.infer<typeof TaskEntry>;

/** `batch` rises by 1 per lease, from 1; one already taken has no effect. Commits are applied before entries. */
export const Report = z.strictObject({
  lease: LeaseNumber,
  batch: z.int().min(1),
  entries: z.array(TaskEntry).max(100),
  commits: z.array(Commit).max(500),
});
export type Report = z.infer<typeof Report>;

export const ReportAnswer = z.object({ cancel: z.boolean() });
export type ReportAnswer = z.infer<typeof ReportAnswer>;

export const Release = z.strictObject({ lease: LeaseNumber });

export const TaskResult = z.strictObject({ duration_seconds: z.number().positive() });
export type TaskResult = z.infer<typeof TaskResult>;

export const TaskError = z.strictObject({ code: JobErrorCode, message: z.string().max(500), retryable: z.boolean() });
export type TaskError = z.infer<typeof TaskError>;

export const Finish = z.union([
  z.strictObject({ lease: LeaseNumber, result: TaskResult }),
  z.strictObject({ lease: LeaseNumber, error: TaskError }),
]);
export type Finish = z.infer<typeof Finish>;

export const FinishAnswer = z.object({ status: Status });
export type FinishAnswer = z.infer<typeof FinishAnswer>;

/**
 * A file too large for one request goes in parts of equal size (the last may be smaller; R2 wants 5 MiB at least):
 * `POST .../outputs/<folder>/<name>/parts` begins, `PUT .../parts/<n>?upload_id=` stores part n (from 1),
 * `POST .../parts/complete` puts them together.
 */
export const PART_BYTES = 32 * 2 ** 20;
export const PartsBegun = z.object({ upload_id: z.string() });
export type PartsBegun = z.infer<typeof PartsBegun>;
export const PartStored = z.object({ part: z.int(), etag: z.string() });
export type PartStored = z.infer<typeof PartStored>;
export const CompleteParts = z.strictObject({ upload_id: z.string(), parts: z.array(PartStored).min(1).max(10_000) });

/** `POST /internal/fleet`: a transcoder says that it is there. `busy: null` is a goodbye. */
export const Announcement = z.strictObject({
  transcoder: Label,
  version: z.string().max(32),
  slots: z.int().min(1).max(64),
  busy: z.int().min(0).max(64).nullable(),
});
export type Announcement = z.infer<typeof Announcement>;

/** How often a transcoder announces itself when nothing changes, and how long the registry believes it. */
export const ANNOUNCE_MS = 30_000;
export const BELIEVE_MS = 95_000;
