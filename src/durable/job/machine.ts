/**
 * The machine of a job: `decide(state, command) -> entries`, pure. Whatever happens to a job is a command; what it
 * leads to is a list of log entries, and nothing else. A command that the state forbids throws a `Refusal`. A command
 * repeated by a network leads to no entries and to the same answer. Clock and ids come with the command.
 *
 * Fencing: a lease is a number that rises. A command that carries any but the live one is refused, so whoever lost
 * the lease can change nothing. Within an attempt the stage and the progress never fall.
 */
import type { Entry } from '../../contract/entries.ts';
import {
  type Artifact,
  type Commit,
  type JobOptions,
  type JobResult,
  type Metadata,
  renditionNames,
} from '../../contract/job.ts';
import { hasEnded, STAGE_PERCENT, Stage } from '../../contract/stages.ts';
import type { LeaseRequest, TaskEntry, TaskError, TaskResult } from '../../contract/transcoder.ts';
import { Draft, jobNotFound, Refusal } from './draft.ts';
import { expireUpload, failSource, receive, received } from './receive.ts';
import { beginStage, report } from './report.ts';
import type { JobState } from './state.ts';
import { playback } from './view.ts';

/** Attempts in a row that may end without one new segment. */
export const MAX_ATTEMPTS = 3;

const FETCHING = 'Fetching the source';

/** `at` in milliseconds since 1970. */
export type Command = { at: number } & (
  | {
      type: 'create';
      job_id: string;
      key: string;
      bucket: string;
      /** Null when it is yet to be uploaded. */
      source: { size_bytes: number; content_type: string } | null;
      /** Where it is fetched from. */
      url?: string | null;
      options: JobOptions;
      metadata: Metadata;
      by: string;
    }
  /** These webhook endpoints shall hear of the job. */
  | { type: 'subscribe'; endpoints: string[] }
  /** So much of the source has arrived; `total` is null while nobody knows it. */
  | { type: 'receive'; bytes: number; total: number | null }
  /** The source is whole. */
  | { type: 'received'; size_bytes: number; content_type: string }
  /** The source is not whole, and is not waited for any longer. */
  | { type: 'expire_upload' }
  /** A part of the source has been fetched from its URL, or could not be; it goes on after `wait` ms. */
  | { type: 'fetch_again'; run: number; wait: number }
  /** The source cannot be fetched from its URL. */
  | ({ type: 'fail_source'; run: number } & TaskError)
  | ({ type: 'lease' } & LeaseRequest)
  | { type: 'report'; lease: number; entries: TaskEntry[]; commits: Commit[] }
  | { type: 'release'; lease: number }
  /** The lease was not renewed in time. */
  | { type: 'expire'; lease: number }
  /** All work is done; the outputs are about to be verified. */
  | { type: 'store'; lease: number }
  /** The outputs are verified, the manifests stored. */
  | { type: 'complete'; lease: number; result: TaskResult; artifacts: Artifact[] }
  | { type: 'fail'; lease: number; error: TaskError }
  | { type: 'cancel'; by: string }
  | { type: 'retry'; by: string }
  | { type: 'delete'; by: string }
  /** A job that says `processing` while nobody holds its lease. */
  | { type: 'repair' }
  /** Entries of the log are missing or cannot be read. */
  | { type: 'condemn' }
);
type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;
/** A command as its sender makes it; the job object adds the time. */
export type TimelessCommand = Timeless<Command>;
type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;

export function decide(state: JobState | null, command: Command): Entry[] {
  // Endpoints that could not be looked up before hear the whole story all the same.
  if (state?.deleted && command.type !== 'subscribe') return ofDeleted(command);
  const draft = new Draft(state, command.at);
  switch (command.type) {
    case 'create':
      if (!draft.exists) create(draft, command);
      break;
    case 'subscribe':
      subscribe(draft, command.endpoints);
      break;
    case 'receive':
      receive(draft, command);
      break;
    case 'received':
      if (received(draft, command)) queue(draft);
      break;
    case 'expire_upload':
      expireUpload(draft);
      break;
    case 'fetch_again':
      break;
    case 'fail_source':
      failSource(draft, command);
      break;
    case 'lease':
      lease(draft, command);
      break;
    case 'report':
      if (holdsLease(draft, command.lease, 'cancelled')) report(draft, command);
      break;
    case 'release':
      if (holdsLease(draft, command.lease, 'released')) release(draft);
      break;
    case 'expire':
      if (draft.state.lease?.n === command.lease && draft.state.lease.end === 'live') expire(draft);
      break;
    case 'store':
      if (holdsLease(draft, command.lease, 'finished')) store(draft);
      break;
    case 'complete':
      if (holdsLease(draft, command.lease, 'finished')) complete(draft, command);
      break;
    case 'fail':
      if (holdsLease(draft, command.lease, isDecline(command.error) ? 'released' : 'finished'))
        fail(draft, command.error);
      break;
    case 'cancel':
      cancel(draft, command.by);
      break;
    case 'retry':
      retry(draft, command.by);
      break;
    case 'delete':
      remove(draft, command.by);
      break;
    case 'repair':
      repair(draft);
      break;
    case 'condemn':
      condemn(draft);
      break;
    default:
      command satisfies never;
  }
  return draft.entries;
}

/** Gone for everybody; only who deletes or makes it once more hears that this is done. */
function ofDeleted({ type }: Command): Entry[] {
  if (type !== 'delete' && type !== 'create') throw jobNotFound();
  return [];
}

/**
 * True for the live lease. False, so that nothing is decided, for the last lease repeating the very call that ended
 * it (or reporting once more after the job was cancelled). Any other lease is refused.
 */
function holdsLease(draft: Draft, lease: number, repeated: 'finished' | 'released' | 'cancelled'): boolean {
  const held = draft.state.lease;
  if (held?.n === lease) {
    if (held.end === 'live') return true;
    if (held.end === repeated) return false;
  }
  throw new Refusal('lease_lost', `Lease ${lease} is no longer valid: stop working on this job.`);
}

function create(draft: Draft, { at: _at, type: _type, by, ...job }: CommandOf<'create'>): void {
  draft.note('_job', { url: null, ...job });
  draft.say('state', 'Job created', { state: 'created', attempt: 0, transcoder: null, by });
  beginStage(draft, 'uploading', job.source ? 'Upload stored' : job.url ? FETCHING : 'Uploading');
  if (job.source) queue(draft);
}

function subscribe(draft: Draft, endpoints: readonly string[]): void {
  const { webhooks } = draft.state;
  const fresh = endpoints.filter((id, i) => !webhooks.includes(id) && endpoints.indexOf(id) === i);
  if (fresh.length > 0) draft.note('_webhooks', { endpoints: fresh });
}

function queue(draft: Draft): void {
  const { attempt } = draft.state;
  const progress = Math.max(draft.state.progress, STAGE_PERCENT.uploading.to);
  const details = { state: 'queued' as const, attempt, transcoder: null, by: null };
  draft.say('state', 'Waiting for a transcoder', details, { status: 'pending', progress });
}

function lease(draft: Draft, { task, transcoder, request_id }: CommandOf<'lease'>): void {
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

function release(draft: Draft): void {
  const { attempt, lease: held } = draft.state;
  const details = { state: 'released' as const, attempt, transcoder: held?.transcoder ?? null, by: null };
  draft.say('state', 'Handed back by the transcoder', details, { status: 'pending' });
  queue(draft);
}

/** Attempts in a row without a new segment, counting the one that ends now. */
const fruitless = ({ lease: held, fruitless }: JobState): number => (held?.fruitful ? 0 : fruitless + 1);

function expire(draft: Draft): void {
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
const isDecline = ({ code }: Pick<TaskError, 'code'>): boolean => code === 'cannot_follow_plan';

function fail(draft: Draft, { code, message, retryable }: TaskError): void {
  if (isDecline({ code })) {
    release(draft);
  } else if (retryable && fruitless(draft.state) < MAX_ATTEMPTS) {
    draft.say('warning', message, { code: 'attempt_failed', reason: code }, { status: 'pending' });
    queue(draft);
  } else {
    draft.say('error', message, { code, retryable }, { status: 'failed' });
  }
}

function store(draft: Draft): void {
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

function complete(draft: Draft, { result, artifacts }: CommandOf<'complete'>): void {
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

function cancel(draft: Draft, by: string): void {
  const { status } = draft.state;
  if (status === 'cancelled') return;
  if (hasEnded(status)) throw new Refusal('invalid_state', `The job is ${status} and cannot be cancelled any more.`);
  draft.say('cancelled', `Cancelled by ${by}`, { by }, { status: 'cancelled' });
}

/** What is left of a source that was to be fetched is not built on: it is fetched once more. */
function retry(draft: Draft, by: string): void {
  const { status, source, url } = draft.state;
  if (status !== 'failed' && status !== 'cancelled') {
    throw new Refusal('invalid_state', `The job is ${status}; only failed and cancelled jobs can be tried again.`);
  }
  if (!source && url === null)
    throw new Refusal('no_source', 'The source never arrived whole. Upload the video again.');
  const { from, to } = STAGE_PERCENT.uploading;
  const start = { status: 'pending' as const, stage: 'uploading' as const, progress: source ? to : from };
  draft.say('state', 'Trying again', { state: 'retried', attempt: 0, transcoder: null, by }, start);
  if (source) queue(draft);
  else beginStage(draft, 'uploading', FETCHING);
}

function remove(draft: Draft, by: string): void {
  if (!hasEnded(draft.state.status)) cancel(draft, by);
  draft.note('_deleted', { by });
}

function repair(draft: Draft): void {
  const { status, lease } = draft.state;
  if (status === 'processing' && lease?.end !== 'live') queue(draft);
}

function condemn(draft: Draft): void {
  if (hasEnded(draft.state.status)) return;
  const message = "Part of the job's log is lost, so it cannot go on. Delete it, and upload the video again.";
  draft.say('error', message, { code: 'internal', retryable: false }, { status: 'failed' });
}
