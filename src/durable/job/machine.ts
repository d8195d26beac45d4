/**
 * The machine of a job: `decide(state, command) -> entries`, pure. Whatever happens to a job is a command; what it
 * leads to is a list of log entries, and nothing else. A command that the state forbids throws a `Refusal`. A command
 * repeated by a network leads to no entries and to the same answer. Clock and ids come with the command. Within an
 * attempt the stage and the progress never fall.
 */
import type { Entry } from '../../contract/entries.ts';
import type { Artifact, Commit, JobOptions, Metadata } from '../../contract/job.ts';
import { hasEnded, STAGE_PERCENT } from '../../contract/stages.ts';
import type { LeaseRequest, TaskEntry, TaskError, TaskResult } from '../../contract/transcoder.ts';
import { Draft, jobNotFound, Refusal } from './draft.ts';
import { complete, expire, fail, holdsLease, isDecline, lease, queue, release, store } from './lease.ts';
import { expireUpload, failSource, receive, received } from './receive.ts';
import { beginStage, report } from './report.ts';
import type { JobState } from './state.ts';

export { MAX_ATTEMPTS } from './lease.ts';

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
