/** How a job that was followed ended: for programs one line, for people what came out and where it can be watched. */
import type { EndEvent, Job } from '../client/index.ts';
import { JobErrorCode } from '../src/contract/errors.ts';
import { JOB_ERRORS } from '../src/contract/meanings.ts';
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

/** What came out of a job of the server at `address`; `watch` says how to come to its page. */
export function summaryText(
  { jobId, job, seconds }: Outcome,
  address: string,
  watch: (page: string) => string,
): string[] {
  const rows = (job?.renditions ?? []).map(({ name, width, height, fps, size_bytes, codecs }) => [
    `  ${name}`,
    `${width}x${height} ${Number(fps.toFixed(2))} fps`,
    sizeText(size_bytes).padStart(9),
    codecs,
  ]);
  const hls = job?.playback.hls ?? null;
  return [
    `Completed in ${seconds < 60 ? `${seconds} s` : durationText(seconds)}.`,
    ...table(rows, Number.POSITIVE_INFINITY),
    ...(hls === null ? [] : [`For players: ${address}${hls}`]),
    watch(`${address}/jobs/${jobId}`),
  ];
}

/** Why there is nothing to watch. */
export function failureText(end: Exclude<EndEvent, { event: 'complete' }>): string {
  if (end.event === 'cancelled') return 'The job was cancelled.';
  const { message, details } = end.data;
  return [`The job failed: ${message} (${details.code})`, ...adviceFor(details.code)].join('\n');
}

/** What to do about a job that failed so; nothing if the server knows more codes than this command. */
export function adviceFor(code: string): string[] {
  const known = JobErrorCode.safeParse(code).data;
  return known === undefined ? [] : [JOB_ERRORS[known].advice];
}
