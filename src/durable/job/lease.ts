/**
 * Leases: to whom one is given, and how it ends: handed back, lost, or with the work done or failed. After each end
 * the job waits for another one, or is over.
 *
 * Fencing: a lease is a number that rises. A command that carries any but the live one is refused, so whoever lost
 * the lease can change nothing.
 */
import { type Artifact, type JobResult, renditionNames } from '../../contract/job.ts';
import { STAGE_PERCENT, Stage } from '../../contract/stages.ts';
import type { LeaseRequest, TaskError, TaskResult } from '../../contract/transcoder.ts';
import { type Draft, Refusal } from './draft.ts';
import { beginStage } from './report.ts';
import type { JobState } from './state.ts';
import { playback } from './view.ts';

/** Attempts in a row that may end without one new segment. */
export const MAX_ATTEMPTS = 3;

/**
 * True for the live lease. False, so that nothing is decided, for the last lease repeating the very call that ended
 * it (or reporting once more after the job was cancelled). Any other lease is refused.
 */
export function holdsLease(draft: Draft, lease: number, repeated: 'finished' | 'released' | 'cancelled'): boolean {
  const held = draft.state.lease;
  if (held?.n === lease) {
    if (held.end === 'live') return true;
    if (held.end === repeated) return false;
  }
  throw new Refusal('lease_lost', `Lease ${lease} is no longer valid: stop working on this job.`);
}

/** From now on it waits for a lease. */
export function queue(draft: Draft): void {
  const { attempt } = draft.state;
  const progress = Math.max(draft.state.progress, STAGE_PERCENT.uploading.to);
  const details = { state: 'queued' as const, attempt, transcoder: null, by: null };
  draft.say('state', 'Waiting for a transcoder', details, { status: 'pending', progress });
}

export function lease(draft: Draft, { task, transcoder, request_id }: LeaseRequest): void {
  const { status, lease: last, attempt, attempt_over, source } = draft.state;
  if (last?.request_id === request_id && last.end === 'live') return;
  if (status !== 'pending' || last?.request_id === request_id) {
    const why = status === 'processing' ? 'The job is leased by another transcoder.' : `The job is ${status}.`;
    throw new Refusal('lease_refused', status === 'pending' ? 'The lease of this request has ended.' : why);
  }
  if (!source) throw new Refusal('lease_refused', 'The source is still being uploaded.');
  draft.note('_lease', { task, lease: (last?.n ?? 0) + 1, transcoder, request_id });
  const details = { state: 'leased' as const, attempt: attempt_over ? attempt + 1 : attempt, transcoder, by: null };
  const start = attempt_over ? { stage: 'uploading' as const, progress: STAGE_PERCENT.uploading.to } : {};
  draft.say('state', `Taken by ${transcoder}`, details, { status: 'processing', ...start });
}

export function release(draft: Draft): void {
  const { attempt, lease: held } = draft.state;
  const details = { state: 'released' as const, attempt, transcoder: held?.transcoder ?? null, by: null };
  draft.say('state', 'Handed back by the transcoder', details, { status: 'pending' });
  queue(draft);
}

/** Attempts in a row without a new segment, counting the one that ends now. */
const fruitless = ({ lease: held, fruitless }: JobState): number => (held?.fruitful ? 0 : fruitless + 1);

export function expire(draft: Draft): void {
  if (fruitless(draft.state) >= MAX_ATTEMPTS) {
    const message = `The transcoder was lost, and ${MAX_ATTEMPTS} attempts in a row made no progress. Try again.`;
    draft.say('error', message, { code: 'transcoder_lost', retryable: true }, { status: 'failed' });
    return;
  }
  const message = 'The transcoder was lost; another one takes over';
  draft.say('warning', message, { code: 'transcoder_lost' }, { status: 'pending' });
  queue(draft);
}

/** Not this transcoder, but perhaps another: no attempt. */
export const isDecline = ({ code }: Pick<TaskError, 'code'>): boolean => code === 'cannot_follow_plan';

export function fail(draft: Draft, { code, message, retryable }: TaskError): void {
  if (isDecline({ code })) {
    release(draft);
  } else if (retryable && fruitless(draft.state) < MAX_ATTEMPTS) {
    draft.say('warning', message, { code: 'attempt_failed', reason: code }, { status: 'pending' });
    queue(draft);
  } else {
    draft.say('error', message, { code, retryable }, { status: 'failed' });
  }
}

export function store(draft: Draft): void {
  const { plan, whole } = draft.state;
  const names = plan ? renditionNames(plan) : [];
  const missing = names.filter((name) => !whole[name]);
  if (names.length === 0 || missing.length > 0) {
    throw new Refusal(
      'rendition_incomplete',
      `Not all renditions are stored; missing: ${missing.join(', ') || 'all'}.`,
    );
  }
  beginStage(draft, 'storage', 'Verifying the stored outputs');
}

interface Finished {
  result: TaskResult;
  artifacts: Artifact[];
}

export function complete(draft: Draft, { result, artifacts }: Finished): void {
  store(draft);
  draft.say('progress', 'Outputs verified', null, { progress: STAGE_PERCENT.storage.to });
  beginStage(draft, 'completed', 'Processing complete');
  const { state } = draft;
  const details: JobResult = {
    playback: playback({ ...state, status: 'completed' }),
    duration_seconds: result.duration_seconds,
    artifacts,
    stage_seconds: stageSeconds(state),
  };
  draft.say('complete', 'Processing complete', { result: details }, { status: 'completed' });
}

/** Each stage lasts until the next one that began. */
function stageSeconds({ stage_at }: JobState): JobResult['stage_seconds'] {
  const begun = Stage.options.flatMap((stage) => {
    const at = stage_at[stage];
    return at === undefined ? [] : [{ stage, at }];
  });
  return Object.fromEntries(
    begun.slice(0, -1).map(({ stage, at }, i) => [stage, ((begun[i + 1]?.at ?? at) - at) / 1000]),
  );
}
