/**
 * A line in the server's log for each stage that begins and for each turn of the job's life. `request_id` is that of
 * the transcoder's lease, which stands also in the line of the request that took it and in the transcoder's own log.
 */
import { type Entry, isVisible, type VisibleEntry } from '../../contract/entries.ts';
import type { JobState } from './state.ts';

export function tell(entries: readonly Entry[], { job_id, lease, attempt }: JobState): void {
  for (const entry of entries.filter(isVisible).filter(isTurn)) {
    const { stage, status, details } = entry.data;
    const by = { attempt, lease: lease?.n ?? null, request_id: lease?.request_id ?? null };
    const more = entry.type === 'complete' ? {} : details;
    console.log(JSON.stringify({ msg: 'job', job: job_id, event: entry.type, stage, status, ...by, ...more }));
  }
}

/** Other warnings, and what comes many times, are the watchers' to read. */
function isTurn(entry: VisibleEntry): boolean {
  switch (entry.type) {
    case 'progress':
    case 'rendition':
    case 'playable':
      return false;
    case 'warning':
      return entry.data.details.code === 'transcoder_lost' || entry.data.details.code === 'attempt_failed';
    default:
      return true;
  }
}
