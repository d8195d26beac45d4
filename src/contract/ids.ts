/** The names that travel in paths, bodies and storage keys. */
import { z } from 'zod';

/** A job's id: a UUID, lower case, so that every spelling reaches the same object. */
export const JobId = z.uuid().toLowerCase();

/** A webhook endpoint's id, likewise. */
export const WebhookId = z.uuid().toLowerCase();

/** The unit of work of a job. Today each job has one; the field is carried for the day it has more. */
export const Task = z.literal('main');
export type Task = z.infer<typeof Task>;

/** `720p` (by the short side of the picture) or `audio`. */
export const RenditionName = z.string().regex(/^(audio|[1-9]\d{0,3}p)$/);

/** What a finished job has besides its renditions. Each is a folder of its own among the outputs. */
export const ArtifactName = z.enum(['poster', 'storyboard', 'mp4']);
export type ArtifactName = z.infer<typeof ArtifactName>;

/** The file that stands for an artifact; a storyboard's WebVTT names its sheets. */
export const ARTIFACT_FILE = {
  poster: 'poster.jpg',
  storyboard: 'storyboard.vtt',
  mp4: 'video.mp4',
} as const satisfies Record<ArtifactName, string>;
export const sheetName = (n: number): string => `sheet-${n}.jpg`;
export const ArtifactFile = z.string().regex(/^(poster\.jpg|storyboard\.vtt|sheet-[1-9]\d{0,4}\.jpg|video\.mp4)$/);

/** `init.mp4` or `<n>.m4s`, n from 1. */
export const SegmentName = z.string().regex(/^(init\.mp4|[1-9]\d{0,5}\.m4s)$/);

/** A segment's number in its rendition; 0 is the init segment. */
export const SegmentNumber = z.int().min(0).max(999_999);

/** Null for a name that is no segment's. */
export const segmentNumber = (name: string): number | null =>
  SegmentName.safeParse(name).success ? (name === 'init.mp4' ? 0 : Number.parseInt(name, 10)) : null;
export const segmentName = (n: number): string => (n === 0 ? 'init.mp4' : `${n}.m4s`);

/** A lease's fencing number: rises by one with every lease of the task. */
export const LeaseNumber = z.int().min(1);

/** The `Reelwire-Lease` header: `<task>:<n>`. */
export const LeaseHeader = z
  .string()
  .regex(/^main:[1-9]\d{0,8}$/)
  .transform((text) => Number(text.slice('main:'.length)));

export const leaseHeader = (task: Task, lease: number): string => `${task}:${lease}`;

/** The storage keys of a job, and the address of an output from this server's root. `take` is the lease that made the object. */
export const sourceKey = (job: string): string => `${job}/source`;
export const takePath = (rendition: string, take: number, name: string): string => `${rendition}/t${take}/${name}`;
export const outputPath = (job: string, path: string): string => `/jobs/${job}/outputs/${path}`;
export const outputKey = (job: string, path: string): string => `${job}/${path}`;

/** The manifests' paths below a job's outputs. */
export const MASTER = 'master.m3u8';
export const MPD = 'manifest.mpd';
/** Written after completion: from then on all outputs are objects, and the job object need not be asked. */
export const FINAL = 'final';
export const mediaPlaylist = (rendition: string): string => `${rendition}/media.m3u8`;
export const iframePlaylist = (rendition: string): string => `${rendition}/iframes.m3u8`;
