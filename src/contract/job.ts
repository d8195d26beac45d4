/** The job as the public API shows it (`GET /jobs/:id`), and the parts it is made of. */
import { z } from 'zod';
import { JobErrorCode } from './errors.ts';
import { JobId, RenditionName, SegmentNumber, Task } from './ids.ts';
import { Stage, Status } from './stages.ts';

/** The caller's label for a job: shown, searched, never part of a storage path. Control characters are refused. */
export const Key = z
  .string()
  .max(255)
  .regex(/^\P{Cc}+$/u, 'must not be empty or contain control characters');

/** Flat strings the caller gets back with the job; at most 2 KB as JSON. */
export const Metadata = z
  .record(z.string(), z.string())
  .refine(
    (value) => new TextEncoder().encode(JSON.stringify(value)).length <= 2048,
    'must be at most 2048 bytes of JSON',
  );
export type Metadata = z.infer<typeof Metadata>;

/**
 * What the caller may choose about the outputs. `quality`: how many bits a rung may cost. `ladder`: short sides in
 * pixels; of the source's rungs only these are made, and if it has none of them, the one that comes closest. `mp4`:
 * also a progressive MP4 of the best rung. `retention_days`: how long everything is kept after the end; null for what
 * the server keeps to. `priority`: `high` goes before all that is `normal`.
 */
export const JobOptions = z.strictObject({
  quality: z.enum(['economy', 'standard', 'high']).default('standard'),
  ladder: z
    .array(z.int().min(16).max(1080))
    .min(1)
    .max(8)
    .nullable()
    .default(null)
    .describe(
      'Short sides in pixels: of the sizes that the video has, only these; if it has none of them, the closest.',
    ),
  mp4: z.boolean().default(false),
  retention_days: z.int().min(1).max(3650).nullable().default(null),
  priority: z.enum(['normal', 'high']).default('normal'),
});
export type JobOptions = z.infer<typeof JobOptions>;

/** A frame rate as an exact fraction, in frames per second: 30000/1001. */
export const FrameRate = z.object({ num: z.int().min(1), den: z.int().min(1) });
export type FrameRate = z.infer<typeof FrameRate>;

const Codecs = z.string().regex(/^[\w.]+$/);

/** One rung of the ladder. `maxrate` and `bufsize` in bit/s; `gop` in frames of `fps`; `codecs` as in RFC 6381. */
export const PlannedVideo = z.object({
  name: RenditionName,
  width: z.int().min(2),
  height: z.int().min(2),
  fps: FrameRate,
  gop: z.int().min(1),
  crf: z.number(),
  maxrate: z.int().min(1),
  bufsize: z.int().min(1),
  codecs: Codecs,
});
export type PlannedVideo = z.infer<typeof PlannedVideo>;

/** The audio rendition: AAC-LC; `bandwidth` in bit/s, `sample_rate` in Hz. */
export const PlannedAudio = z.object({
  name: z.literal('audio'),
  bandwidth: z.int().min(1),
  sample_rate: z.int().min(1),
  channels: z.int().min(1),
  codecs: Codecs,
});
export type PlannedAudio = z.infer<typeof PlannedAudio>;

/**
 * What the first attempt decided about the outputs; logged once, followed by every later attempt, so that takes of
 * different machines fit together. `video` from the lowest rung up; `duration` and `segment_seconds` in seconds;
 * `filters` is the ffmpeg chain that every rung shares, before the split.
 */
export const Plan = z.object({
  duration: z.number().positive(),
  segment_seconds: z.number().positive(),
  filters: z.string(),
  video: z.array(PlannedVideo).min(1).max(8),
  audio: PlannedAudio.nullable(),
});
export type Plan = z.infer<typeof Plan>;

/** The rungs, from the lowest up, and `audio` if there is sound. */
export const renditionNames = ({ video, audio }: Pick<Plan, 'video' | 'audio'>): string[] => [
  ...video.map(({ name }) => name),
  ...(audio ? [audio.name] : []),
];

/** Where the keyframe that opens a video segment lies in it, in bytes; players use it for fast seeking. */
const Keyframe = z.object({ offset: z.int().min(0), length: z.int().min(1) });

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A stored segment, as its maker reports it. `n` 0 is the init segment (duration 0); `duration` in seconds. */
export const Commit = z.object({
  rendition: RenditionName,
  n: SegmentNumber,
  duration: z.number().min(0).max(3600),
  bytes: z.int().min(1),
  sha256: Sha256,
  keyframe: Keyframe.nullable(),
});
export type Commit = z.infer<typeof Commit>;

/** A commit with the take (the lease) that made it. */
export const TakeSegment = Commit.extend({ take: z.int().min(1) });
export type TakeSegment = z.infer<typeof TakeSegment>;

/** Paths from this server's root; `null` until there is something behind them. */
export const Playback = z.object({
  hls: z.string().nullable(),
  dash: z.string().nullable(),
  poster: z.string().nullable(),
  storyboard: z.string().nullable(),
  mp4: z.string().nullable(),
});
export type Playback = z.infer<typeof Playback>;

/** Mean VMAF of sampled frames (0-100), and how many they were. */
export const Vmaf = z.object({ mean: z.number().min(0).max(100), samples: z.int().min(1) });
export type Vmaf = z.infer<typeof Vmaf>;

/** `bandwidth` (peak) and `average_bandwidth` in bit/s, measured on what is stored so far. */
export const Rendition = z.object({
  name: RenditionName,
  width: z.int(),
  height: z.int(),
  fps: z.number(),
  bandwidth: z.int().nullable(),
  average_bandwidth: z.int().nullable(),
  codecs: z.string(),
  size_bytes: z.int(),
  vmaf: Vmaf.nullable(),
  status: z.enum(['pending', 'encoding', 'stored', 'validated']),
});
export type Rendition = z.infer<typeof Rendition>;

/** A finished job's outputs. `path` from this server's root; `stage_seconds`: how long each stage took. */
export const JobResult = z.object({
  playback: Playback,
  duration_seconds: z.number(),
  artifacts: z.array(z.object({ name: z.string(), path: z.string(), type: z.string(), size_bytes: z.int() })),
  stage_seconds: z.partialRecord(Stage, z.number()),
});
export type JobResult = z.infer<typeof JobResult>;
export type Artifact = JobResult['artifacts'][number];

/** An entry of the log as `latest_events` shows it. */
export const JobEvent = z.object({
  id: z.int(),
  event: z.string(),
  stage: Stage,
  progress: z.int(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).nullable(),
  created_at: z.iso.datetime(),
});
export type JobEvent = z.infer<typeof JobEvent>;

/** `GET /jobs/:id`. Times are ISO 8601 in UTC; `latest_events` holds the last ten, oldest first. */
export const Job = z.object({
  id: JobId,
  key: Key,
  bucket: z.string(),
  status: Status,
  stage: Stage,
  progress: z.int().min(0).max(100),
  workflow_id: z.templateLiteral([Task, ':', z.int()]).nullable(),
  attempt: z.int(),
  eta_seconds: z.number().nullable(),
  error_message: z.string().nullable(),
  error: z.object({ code: JobErrorCode, retryable: z.boolean() }).nullable(),
  options: JobOptions,
  metadata: Metadata,
  renditions: z.array(Rendition),
  playback: Playback,
  result: JobResult.nullable(),
  latest_events: z.array(JobEvent),
  last_event_id: z.int(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  completed_at: z.iso.datetime().nullable(),
});
export type Job = z.infer<typeof Job>;
