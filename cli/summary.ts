/** How a job that was followed ended: for programs one line, for people what came out and where it can be watched. */
import type { EndEvent, Job } from '../client/index.ts';
import { table } from './display/table.ts';
import { durationText, sizeText } from './display/units.ts';

export interface Outcome {
  jobId: string;
  /** What people call it. */
  name: string;
  end: EndEvent;
  /** The job as it is now; null when it could not be asked. */
  job: Job | null;
  seconds: number;
}

export const hasCompleted = ({ end }: Outcome): boolean => end.event === 'complete';

export function summaryJson({ jobId, end, job, seconds }: Outcome): string {
  const playback = { hls: job?.playback.hls ?? null, dash: job?.playback.dash ?? null };
  return JSON.stringify({ event: 'summary', job_id: jobId, status: end.data.status, playback, seconds });
}

/** What came out; `watch` says where the address of the playlist, a path, can be watched. */
export function summaryText({ job, seconds }: Outcome, watch: (hls: string) => string): string[] {
  const lines = [`Completed in ${seconds < 60 ? `${seconds} s` : durationText(seconds)}.`];
  if (job === null) return lines;
  const rows = job.renditions.map(({ name, width, height, fps, size_bytes, codecs }) => [
    `  ${name}`,
    `${width}x${height} ${Number(fps.toFixed(2))} fps`,
    sizeText(size_bytes).padStart(9),
    codecs,
  ]);
  lines.push(...table(rows, Number.POSITIVE_INFINITY));
  if (job.playback.hls !== null) lines.push(watch(job.playback.hls));
  return lines;
}

/** Why there is nothing to watch. */
export function failureText(end: Exclude<EndEvent, { event: 'complete' }>): string {
  if (end.event === 'cancelled') return 'The job was cancelled.';
  return `The job failed: ${end.data.message} (${end.data.details.code})`;
}
