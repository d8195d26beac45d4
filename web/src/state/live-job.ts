/**
 * A job as the page knows it: from the list, from the stream, from a question, whichever spoke last. From the list it
 * has only what a list shows; what only the stream says (how far each rendition is) is kept beside it.
 */
import { type Job, type JobSummary, jobAfter, type StreamEvent } from '../../../client/index.ts';
import type { ProgressDetails, RenditionProgress } from '../../../src/contract/entries.ts';

export interface LiveJob extends JobSummary, Partial<Omit<Job, keyof JobSummary>> {
  /** What the server said last about it. */
  readonly said: string | null;
  /** How far each rendition of the present stage is. */
  readonly encoding: readonly RenditionProgress[];
  /** So many rungs the master has, as last told; 0 when that is not known. */
  readonly rungs: number;
}

const BESIDE = { said: null, encoding: [], rungs: 0 };

export const isWhole = (job: LiveJob): job is LiveJob & Job => job.renditions !== undefined;

export const isActive = ({ status }: Pick<JobSummary, 'status'>): boolean =>
  status === 'pending' || status === 'processing';

/** The list may be a few seconds behind the stream: what is older than what is known tells nothing. */
export function withSummary(known: LiveJob | undefined, summary: JobSummary): LiveJob {
  if (!known) return { ...BESIDE, ...summary };
  if (summary.updated_at < known.updated_at) return known;
  return { ...known, ...summary };
}

export function withAnswer(known: LiveJob | undefined, job: Job): LiveJob {
  const isNew = !known || known.last_event_id === undefined || job.last_event_id >= known.last_event_id;
  if (!isNew) return known;
  const beside = known ? { said: known.said, encoding: known.encoding, rungs: known.rungs } : BESIDE;
  return { ...beside, ...job, ...fromEvents(job, beside) };
}

/** What the last events of a job that was asked for say, where nobody has listened. One that is done can play it all. */
function fromEvents(job: Job, known: Pick<LiveJob, 'said' | 'encoding' | 'rungs'>): Partial<LiveJob> {
  let said = known.said;
  let { encoding, rungs } = known;
  for (const { message, details } of job.latest_events) {
    said = message;
    if (details && 'eta_seconds' in details) encoding = (details as unknown as ProgressDetails).renditions;
    if (details && 'playback' in details && 'renditions' in details) rungs = (details.renditions as string[]).length;
  }
  if (job.status === 'completed') rungs = job.renditions.length;
  return { said, encoding, rungs };
}

export function afterEvent(known: LiveJob | undefined, event: StreamEvent): LiveJob | undefined {
  if (event.event === 'status') {
    const job = jobAfter(null, event);
    return job ? withAnswer(known && { ...known, last_event_id: 0 }, job) : known;
  }
  if (!known) return undefined;
  const { status, stage, progress, timestamp, message, details } = event.data;
  const job = isWhole(known) ? jobAfter(known, event) : null;
  const next: LiveJob = { ...known, ...job, status, stage, progress, updated_at: timestamp, said: message };
  if (event.event === 'progress') {
    const renditions = details && 'renditions' in details ? event.data.details : null;
    return renditions && 'eta_seconds' in renditions ? { ...next, encoding: renditions.renditions } : next;
  }
  if (event.event === 'playable') return { ...next, rungs: event.data.details.renditions.length };
  return event.event === 'stage' || event.event === 'state' ? { ...next, encoding: [] } : next;
}
