/**
 * What webhook endpoints are told of a job: a projection of its log. Which entries become events, and what these say,
 * follows from the log alone, so what is handed over twice is the same twice.
 */
import type { Entry, VisibleEntry } from '../../contract/entries.ts';
import { type JobWebhookEvent, MAX_BODY_BYTES } from '../../contract/webhooks.ts';
import type { JobState } from './state.ts';

/** At most one `job.progress` in this time. */
const PROGRESS_EVERY_MS = 10_000;

/** An event as it is handed over; `body` is what the receiver gets. */
export interface WebhookMessage {
  seq: number;
  type: JobWebhookEvent['type'];
  body: string;
}

export interface Told {
  events: WebhookMessage[];
  /** From which time on the next `progress` is told; null if none is. */
  progressFrom: number | null;
}

/** Whether endpoints may want to hear of the entry at once. */
export const isNews = ({ type, data }: Entry): boolean =>
  type === 'playable' ||
  type === 'complete' ||
  type === 'error' ||
  type === 'cancelled' ||
  (type === 'state' && data.details.state === 'created');

/** The events among these entries. `opensPlayback` tells the first `playable` of a run from those that follow. */
export function webhookEvents(
  job: Pick<JobState, 'job_id' | 'key' | 'metadata'>,
  entries: readonly VisibleEntry[],
  opensPlayback: (seq: number) => boolean,
  progressFrom: number | null,
): Told {
  const told: Told = { events: [], progressFrom };
  for (const entry of entries) {
    if (entry.type === 'playable' && !opensPlayback(entry.seq)) continue;
    if (entry.type === 'progress') {
      if (told.progressFrom === null || entry.at < told.progressFrom) continue;
      told.progressFrom = entry.at + PROGRESS_EVERY_MS;
    }
    const event = eventOf(job, entry);
    if (event) told.events.push({ seq: entry.seq, type: event.type, body: fitted(event) });
  }
  return told;
}

function eventOf({ job_id, key, metadata }: Parameters<typeof webhookEvents>[0], entry: VisibleEntry) {
  const { status, stage, progress, message, timestamp } = entry.data;
  const subject = { job_id, seq: entry.seq, key, metadata, status, stage, progress, message };
  const event = <T extends JobWebhookEvent['type'], D extends object>(type: T, details: D) => ({
    type,
    timestamp,
    data: { ...subject, ...details },
  });
  switch (entry.type) {
    case 'state':
      return entry.data.details.state === 'created' ? event('job.created', {}) : null;
    case 'playable':
      return event('job.playable', entry.data.details);
    case 'progress': {
      const { details } = entry.data;
      return event('job.progress', { eta_seconds: details && 'eta_seconds' in details ? details.eta_seconds : null });
    }
    case 'complete':
      return event('job.completed', entry.data.details);
    case 'error':
      return event('job.failed', { error: { ...entry.data.details, message } });
    case 'cancelled':
      return event('job.cancelled', entry.data.details);
    default:
      return null;
  }
}

/** As JSON, without the list of artifacts if that makes it too long. */
function fitted(event: JobWebhookEvent): string {
  const body = JSON.stringify(event);
  if (new TextEncoder().encode(body).length <= MAX_BODY_BYTES || event.type !== 'job.completed') return body;
  return JSON.stringify({ ...event, data: { ...event.data, result: { ...event.data.result, artifacts: null } } });
}
