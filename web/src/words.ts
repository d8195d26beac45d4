/** What the app says: numbers, times, stages and warnings in plain words. */
import type { Stage, Status } from '../../client/index.ts';
import type { WarningCode } from '../../src/contract/entries.ts';
import type { JobErrorCode } from '../../src/contract/errors.ts';

export const STAGE_NAMES: Record<Stage | 'waiting', string> = {
  uploading: 'Upload',
  waiting: 'Waiting',
  transcoding: 'Transcode',
  validation: 'Validate',
  packaging: 'Package',
  storage: 'Store',
  completed: 'Done',
};

const STAGE_DOING: Record<Stage, string> = {
  uploading: 'Uploading',
  transcoding: 'Transcoding',
  validation: 'Comparing with the source',
  packaging: 'Making poster and storyboard',
  storage: 'Checking what is stored',
  completed: 'Done',
};

export const STATUS_NAMES: Record<Status, string> = {
  pending: 'Waiting',
  processing: 'Running',
  completed: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** What a job does now. A job whose source is there and that is pending waits for a transcoder. */
export function doing(status: Status, stage: Stage, progress: number): string {
  if (status === 'completed' || status === 'failed' || status === 'cancelled') return STATUS_NAMES[status];
  if (status === 'pending' && (stage !== 'uploading' || progress >= 10)) return 'Waiting for a transcoder';
  return STAGE_DOING[stage];
}

/** Warnings by their codes: what it means, and what one can do. */
export const WARNINGS: Record<WarningCode, string> = {
  transcoder_lost: 'A transcoder stopped answering. Another one goes on from what is finished; nothing is lost.',
  attempt_failed: 'An attempt failed. It is tried again from what is finished.',
  tracks_dropped: 'Some tracks of the file, such as subtitles or further languages, were left out.',
  incomplete_source:
    'The file promises more than it holds. What is there was processed; look whether the end is missing.',
  decode_errors: 'Some frames of the file are damaged and may look wrong. If you have a better copy, upload that.',
  vmaf_unavailable: 'Quality was not measured, because this transcoder cannot do that. The video is not affected.',
  low_quality: 'A rendition differs visibly from the source. Try again with the quality "high".',
};

/** Failures by their codes, in a few words. */
export const FAILURES: Record<JobErrorCode, string> = {
  no_video: 'it has no picture',
  empty_file: 'the file is empty',
  not_media: 'it is not a video',
  too_large: 'its picture is too large',
  too_long: 'it is too long',
  truncated: 'its end is missing',
  upload_expired: 'the upload was not finished',
  source_unreachable: 'its server could not be reached',
  source_timeout: 'its server fell silent',
  source_incomplete: 'its server sent too little',
  source_refused: 'its server refused it',
  source_wrong_type: 'its address leads to no video',
  source_too_large: 'the file is too large',
  source_changed: 'it changed while it was fetched',
  source_not_resumable: 'its server could not go on',
  invalid_url: 'its address cannot be fetched',
  url_refused: 'its address must not be reached',
  url_unresolved: 'its address has an unknown name',
  too_many_redirects: 'its address leads nowhere',
  transcoder_lost: 'the transcoders were lost',
  encode_failed: 'it could not be encoded',
  no_space: 'the transcoder has no space left',
  stalled: 'the encoder stood still',
  internal: 'something went wrong',
  cannot_follow_plan: 'no transcoder could go on',
};

export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = count;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** `4.2 Mbit/s`. */
export const bitrate = (bits: number): string =>
  bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;

/** `2 min 05 s`, rounded to what one wants to know. */
export function duration(seconds: number): string {
  if (seconds < 0.05) return '< 0.1 s';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** How long something still takes: no promise, so no decimals. */
export function left(seconds: number): string {
  if (seconds < 5) return 'a few seconds left';
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  return `${duration(Math.ceil(seconds / 10) * 10)} left`;
}

/** Twelve seconds of video may end at 11.999. */
const ROUNDING = 0.05;

/** `1:02:03`, as players show it. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + ROUNDING));
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const [first = 0, ...rest] = parts[0] === 0 ? parts.slice(1) : parts;
  return [String(first), ...rest.map((part) => String(part).padStart(2, '0'))].join(':');
}

const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });

/** `5 min. ago`; a date for what is older than a week. */
export function since(time: string, now: number): string {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  if (seconds > -60) return 'just now';
  if (seconds > -3600) return ago.format(Math.ceil(seconds / 60), 'minute');
  if (seconds > -86_400) return ago.format(Math.ceil(seconds / 3600), 'hour');
  if (seconds > -7 * 86_400) return ago.format(Math.ceil(seconds / 86_400), 'day');
  return day.format(Date.parse(time));
}

const exact = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
export const timeOfDay = (at: number): string => exact.format(at);

const full = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
export const dateAndTime = (time: string): string => full.format(Date.parse(time));
