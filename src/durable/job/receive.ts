/**
 * How a job comes to its source when that is uploaded piece by piece, or fetched from a URL: the job is there from the
 * first byte on and tells how far the upload is; no lease is given before the source is whole. A source is whole once,
 * or never.
 */
import { hasEnded, stageProgress } from '../../contract/stages.ts';
import type { TaskError } from '../../contract/transcoder.ts';
import { type Draft, Refusal } from './draft.ts';
import { isTooSoon } from './report.ts';

const MB = 1e6;

/** Tells of bytes that nobody was told of. */
export function receive(draft: Draft, { bytes, total }: { bytes: number; total: number | null }): void {
  const { state } = draft;
  if (!isWanted(draft) || bytes <= state.bytes_received || isTooSoon(draft)) return;
  const far = total ? `${Math.floor((100 * bytes) / total)} %` : `${(bytes / MB).toFixed(1)} MB`;
  const message = `${state.url ? 'Fetching' : 'Uploading'}: ${far}`;
  const progress = Math.max(state.progress, stageProgress('uploading', total ? bytes / total : 0));
  draft.say('progress', message, { bytes_received: bytes, bytes_total: total }, { progress });
}

/** Returns whether the job has its source by this, and not before. */
export function received(draft: Draft, source: { size_bytes: number; content_type: string }): boolean {
  if (!isWanted(draft)) return false;
  draft.note('_source', { size_bytes: source.size_bytes, content_type: source.content_type });
  return true;
}

export function expireUpload(draft: Draft): void {
  const { source, status, url, run_seq } = draft.state;
  if (source || hasEnded(status)) return;
  if (url) {
    const message = 'The source did not arrive whole in time. Try again, or use a faster server.';
    failSource(draft, { run: run_seq, code: 'source_timeout', message, retryable: true });
    return;
  }
  const message = 'The upload was not completed and has been given up. Upload the video again.';
  draft.say('error', message, { code: 'upload_expired', retryable: false }, { status: 'failed' });
}

/** Nothing comes of it when the job has its source, or what failed was fetched for an earlier run. */
export function failSource(draft: Draft, { run, code, message, retryable }: TaskError & { run: number }): void {
  const { source, status, run_seq } = draft.state;
  if (source || hasEnded(status) || run !== run_seq) return;
  draft.say('error', message, { code, retryable }, { status: 'failed' });
}

/** False for a job that has its source; refuses for one that has ended without. */
function isWanted({ state: { source, status } }: Draft): boolean {
  if (source) return false;
  if (hasEnded(status)) throw new Refusal('invalid_state', `The job is ${status}; its source is not wanted any more.`);
  return true;
}
