/**
 * The state of a job: what the fold of its log amounts to. `apply` is the only thing that makes one. It holds nothing
 * that the log does not, so an object that lost its memory reads the log and knows all of it again.
 */
import type { Entry, StoredFile, VisibleEntry } from '../../contract/entries.ts';
import type { JobErrorCode } from '../../contract/errors.ts';
import type { ArtifactName, Task } from '../../contract/ids.ts';
import type { JobEvent, JobOptions, JobResult, Metadata, Plan, TakeSegment, Vmaf } from '../../contract/job.ts';
import type { Stage, Status } from '../../contract/stages.ts';

/** How a lease ended; `live` while it holds. A repeated `finish` gets the status that the first one led to. */
export type LeaseEnd = 'live' | 'finished' | 'released' | 'lost' | 'cancelled';

export interface Lease {
  task: Task;
  n: number;
  transcoder: string;
  request_id: string;
  end: LeaseEnd;
  /** The job's status directly after the lease ended. */
  status: Status;
  /** Whether it has put a segment before the readers that nobody had put there. */
  fruitful: boolean;
}

export interface JobState {
  job_id: string;
  key: string;
  bucket: string;
  /** Null while it is being uploaded. */
  source: { size_bytes: number; content_type: string } | null;
  /** Where the source is fetched from; null when it is sent to us. */
  url: string | null;
  /** Bytes of the source that arrived, as last logged. */
  bytes_received: number;
  options: JobOptions;
  metadata: Metadata;

  status: Status;
  stage: Stage;
  progress: number;
  message: string;
  eta_seconds: number | null;
  error: { code: JobErrorCode; retryable: boolean; message: string } | null;
  result: JobResult | null;
  /** Nobody may see it any more; its objects are being removed. */
  deleted: boolean;
  /** Webhook endpoints that hear of it. */
  webhooks: string[];

  /** The last lease given, live or not; its `n` is the fencing number. */
  lease: Lease | null;
  /** Attempts of this run; a release hands its number on. */
  attempt: number;
  /** Attempts in a row that ended without a new segment. */
  fruitless: number;
  /** Releases and refusals in a row, without a new segment between them. */
  handed_back: number;
  /** Whether the next lease is a new attempt, or goes on with the one that was released. */
  attempt_over: boolean;

  plan: Plan | null;
  /** Every accepted commit, by rendition, in the order of their arrival; per number the first one is published. */
  segments: Record<string, TakeSegment[]>;
  /** Renditions that are whole: by which take, null for several together, and how many segments they have. */
  whole: Record<string, { take: number | null; segments: number }>;
  /** What was measured of each validated rendition. */
  vmaf: Record<string, Vmaf>;
  /** Artifacts that are stored, with their files. */
  artifacts: Partial<Record<ArtifactName, { take: number; files: StoredFile[] }>>;
  /** Multiple of real time at which each rendition is encoded, as last reported in this attempt. */
  speed: Record<string, number>;
  /** Rungs that the master playlist names. */
  listed: string[];

  last_seq: number;
  last_visible_seq: number;
  /** The entry that began this run: the first one, or the last retry. */
  run_seq: number;
  latest_events: JobEvent[];
  /** Milliseconds since 1970. */
  created_at: number;
  updated_at: number;
  completed_at: number | null;
  attempt_at: number;
  progress_at: number;
  /** Since when it waits for a transcoder; null while it does not. */
  waiting_since: number | null;
  /** When each stage of this run began. */
  stage_at: Partial<Record<Stage, number>>;
}

const LATEST = 10;

/** Folds one entry into the state. Only `_job`, the first entry of every log, makes a state out of nothing. */
export function apply(state: JobState | null, entry: Entry): JobState {
  const next = fold(state, entry);
  const waits = next.status === 'pending' && next.source !== null && !next.deleted;
  return { ...next, waiting_since: waits ? (next.waiting_since ?? entry.at) : null };
}

function fold(state: JobState | null, entry: Entry): JobState {
  if (entry.type === '_job') return created(entry.data, entry.seq, entry.at);
  if (state === null) throw new Error(`A log cannot begin with ${entry.type}`);
  const next = { ...state, last_seq: entry.seq, updated_at: entry.at };

  switch (entry.type) {
    case '_source':
      next.source = entry.data;
      return next;
    case '_lease':
      next.lease = { ...entry.data, n: entry.data.lease, end: 'live', status: 'processing', fruitful: false };
      return next;
    case '_plan':
      next.plan = entry.data;
      return next;
    case '_segments':
      for (const commit of entry.data.commits) {
        const known = next.segments[commit.rendition] ?? [];
        const fruitful = next.lease?.fruitful || (commit.n > 0 && !known.some((segment) => segment.n === commit.n));
        if (next.lease && fruitful) next.lease = { ...next.lease, fruitful };
        if (fruitful) next.handed_back = 0;
        next.segments = { ...next.segments, [commit.rendition]: [...known, commit] };
      }
      return next;
    case '_artifact': {
      const { name, take, files } = entry.data;
      next.artifacts = { ...next.artifacts, [name]: { take, files } };
      return next;
    }
    case '_rendition':
      next.whole = { ...next.whole, [entry.data.name]: { take: entry.data.take, segments: entry.data.segments } };
      return next;
    case '_webhooks':
      next.webhooks = [...next.webhooks, ...entry.data.endpoints];
      return next;
    case '_deleted':
      next.deleted = true;
      return next;
    default:
      return show(next, entry);
  }
}

function created(data: Extract<Entry, { type: '_job' }>['data'], seq: number, at: number): JobState {
  return {
    ...data,
    bytes_received: 0,
    status: 'pending',
    stage: 'uploading',
    progress: 5,
    message: '',
    eta_seconds: null,
    error: null,
    result: null,
    deleted: false,
    webhooks: [],
    lease: null,
    attempt: 0,
    fruitless: 0,
    handed_back: 0,
    attempt_over: true,
    plan: null,
    segments: {},
    whole: {},
    vmaf: {},
    artifacts: {},
    speed: {},
    listed: [],
    last_seq: seq,
    last_visible_seq: 0,
    run_seq: seq,
    latest_events: [],
    created_at: at,
    updated_at: at,
    completed_at: null,
    attempt_at: at,
    progress_at: 0,
    waiting_since: null,
    stage_at: {},
  };
}

/** A visible entry carries the job's status, stage and progress as they are after it. */
function show(next: JobState, entry: VisibleEntry): JobState {
  const { status, stage, progress, message, details } = entry.data;
  Object.assign(next, { status, stage, progress, message, last_visible_seq: entry.seq });
  const event = {
    id: entry.seq,
    event: entry.type,
    stage,
    progress,
    message,
    details,
    created_at: entry.data.timestamp,
  };
  next.latest_events = [...next.latest_events, event].slice(-LATEST);

  switch (entry.type) {
    case 'state':
      return showState(next, entry.data.details, entry);
    case 'stage':
      next.stage_at = { ...next.stage_at, [stage]: entry.at };
      next.eta_seconds = null;
      return next;
    case 'progress': {
      next.progress_at = entry.at;
      const report = entry.data.details;
      if (report && 'bytes_received' in report) next.bytes_received = report.bytes_received;
      if (report === null || !('renditions' in report)) return next;
      next.eta_seconds = report.eta_seconds;
      for (const { name, speed } of report.renditions) {
        if (speed !== null) next.speed = { ...next.speed, [name]: speed };
      }
      return next;
    }
    case 'playable':
      next.listed = entry.data.details.renditions;
      return next;
    case 'warning':
      if (entry.data.details.code === 'transcoder_lost') endLease(next, 'lost', 'pending');
      if (entry.data.details.code === 'attempt_failed') endLease(next, 'finished', 'pending');
      return next;
    case 'complete':
      next.result = entry.data.details.result;
      return ended(next, 'finished', entry.at);
    case 'error':
      next.error = { ...entry.data.details, message };
      return ended(next, entry.data.details.code === 'transcoder_lost' ? 'lost' : 'finished', entry.at);
    case 'cancelled':
      return ended(next, 'cancelled', entry.at);
    case 'rendition': {
      const { name, vmaf } = entry.data.details;
      if (vmaf) next.vmaf = { ...next.vmaf, [name]: vmaf };
      return next;
    }
    default:
      return entry satisfies never;
  }
}

function showState(
  next: JobState,
  details: Extract<Entry, { type: 'state' }>['data']['details'],
  entry: { seq: number; at: number },
): JobState {
  next.attempt = details.attempt;
  switch (details.state) {
    case 'leased':
      if (next.attempt_over) {
        next.attempt_at = entry.at;
        next.speed = {};
        next.eta_seconds = null;
      }
      next.attempt_over = false;
      return next;
    case 'released':
      next.handed_back += 1;
      if (next.lease?.fruitful) next.fruitless = 0;
      if (next.lease) next.lease = { ...next.lease, end: 'released', status: 'pending' };
      return next;
    case 'retried':
      Object.assign(next, { run_seq: entry.seq, fruitless: 0, attempt_over: true, error: null });
      Object.assign(next, { completed_at: null, stage_at: {}, eta_seconds: null, bytes_received: 0 });
      return next;
    case 'created':
    case 'queued':
      return next;
    default:
      return details.state satisfies never;
  }
}

function endLease(next: JobState, end: LeaseEnd, status: Status): void {
  if (next.lease?.end !== 'live') return;
  next.fruitless = next.lease.fruitful ? 0 : next.fruitless + 1;
  next.attempt_over = true;
  next.lease = { ...next.lease, end, status };
}

function ended(next: JobState, end: LeaseEnd, at: number): JobState {
  endLease(next, end, next.status);
  next.completed_at = at;
  next.eta_seconds = null;
  return next;
}
