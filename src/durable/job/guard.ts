/**
 * What a command means for the timers behind a job, written in the same transaction as its entries. A live lease has one
 * that every word of its holder sets anew; a pending job has a doorbell, which waits a while after an attempt that
 * failed; what is new goes to the list of jobs, and to webhook endpoints what they may want to know; a run that has
 * ended is swept, and expires; a source is waited for only so long. `mend` gives a job whose timers were lost those that
 * its state needs.
 */
import { type Entry, isVisible } from '../../contract/entries.ts';
import { hasEnded } from '../../contract/stages.ts';
import { backoffMs } from '../timing.ts';
import type { TimelessCommand } from './machine.ts';
import type { JobState } from './state.ts';
import { deliveryTo, type Timers } from './timers.ts';
import { isNews } from './webhook-events.ts';

const DAY_MS = 86_400_000;

/** How far the list may lie behind in progress. */
export const LIST_PROGRESS_MS = 5000;

export interface Periods {
  readonly leaseMs: number;
  /** Of jobs that do not say it themselves. */
  readonly retentionDays: number;
  readonly uploadExpiryMs: number;
}

export interface Turn {
  readonly before: JobState | null;
  readonly after: JobState;
  readonly entries: readonly Entry[];
  readonly command: TimelessCommand;
  readonly at: number;
  /** The report's; 0 for other commands. */
  readonly batch: number;
}

export function guard(timers: Timers, turn: Turn, periods: Periods): void {
  timers.create();
  guardUpload(timers, turn, periods);
  guardLease(timers, turn, periods);
  guardDoorbell(timers, turn);
  guardList(timers, turn);
  guardWebhooks(timers, turn);
  guardStorage(timers, turn, periods);
}

function guardUpload(timers: Timers, { before, after, command, at }: Turn, { uploadExpiryMs }: Periods): void {
  const [wasWaiting, isWaiting] = [before !== null && waitsForSource(before), waitsForSource(after)];
  if (isWaiting && !wasWaiting) {
    timers.clear('close_upload');
    timers.set('upload', at + uploadExpiryMs, {});
    if (after.url) timers.set('fetch', at, { rung: 0, tries: 0 });
  } else if (wasWaiting && !isWaiting) {
    timers.clear('upload');
    timers.clear('fetch');
    if (!after.source) timers.set('close_upload', at, { tries: 0 });
  } else if (isWaiting && command.type === 'fetch_again' && command.run === after.run_seq) {
    timers.set('fetch', at + command.wait, { rung: 0, tries: 0 });
  }
}

const waitsForSource = ({ source, status }: JobState): boolean => !source && !hasEnded(status);

function guardLease(timers: Timers, { after, command, at, batch }: Turn, { leaseMs }: Periods): void {
  if (after.lease?.end !== 'live') {
    timers.clear('lease');
    return;
  }
  if (!('lease' in command) && command.type !== 'lease') return;
  const seen = timers.get('lease');
  const known = seen?.lease === after.lease.n ? seen.batch : 0;
  timers.set('lease', at + leaseMs, { lease: after.lease.n, batch: Math.max(batch, known), graced: false });
}

function guardDoorbell(timers: Timers, { after, entries, command, at }: Turn): void {
  if (after.status !== 'pending') {
    timers.clear('doorbell');
    return;
  }
  if (!entries.some((entry) => entry.type === 'state' && entry.data.details.state === 'queued')) return;
  const wait = command.type === 'fail' ? backoffMs(after.attempt + after.handed_back) : 0;
  timers.set('doorbell', at + wait, { rung: 0, tries: 0 });
}

/** At once when the status, the stage, or whether it is there at all has changed. */
function guardList(timers: Timers, { before, after, entries, at }: Turn): void {
  const changed = before?.status !== after.status || before.stage !== after.stage || before.deleted !== after.deleted;
  const waiting = timers.get('list');
  if (changed) timers.set('list', at, { tries: waiting?.tries ?? 0 });
  else if (!waiting && entries.some(isVisible)) timers.set('list', at + LIST_PROGRESS_MS, { tries: 0 });
}

/** An endpoint that cannot be reached at the moment is not tried again for progress. */
function guardWebhooks(timers: Timers, { before, entries, at }: Turn): void {
  if (before === null) timers.set('subscribe', at, { tries: 0 });
  const hasNews = entries.some(isNews);
  const hasProgress = entries.some(({ type }) => type === 'progress');
  for (const kind of hasNews || hasProgress ? timers.deliveries() : []) {
    const known = timers.get(kind);
    if (!known) continue;
    const { due_at, progress_from } = known;
    const wantsProgress = progress_from !== null && at >= progress_from && due_at === Number.POSITIVE_INFINITY;
    if (hasNews || wantsProgress) timers.set(kind, at, known);
  }
  const added = entries.flatMap((entry) => (entry.type === '_webhooks' ? entry.data.endpoints : []));
  for (const id of added) timers.set(deliveryTo(id), at, { cursor: 0, tries: 0, progress_from: 0 });
}

function guardStorage(timers: Timers, { before, after, at }: Turn, periods: Periods): void {
  if (after.deleted) {
    if (before?.deleted) return;
    timers.clear('sweep');
    timers.clear('expiry');
    timers.set('erase', at, { round: 0, tries: 0 });
  } else if (!hasEnded(after.status)) {
    timers.clear('sweep');
    timers.clear('expiry');
  } else if (before?.status !== after.status) {
    timers.set('expiry', at + keptMs(after, periods), {});
    if (after.lease) timers.set('sweep', at, { lease: after.lease.n, round: 0, cursor: null, tries: 0 });
  }
}

const keptMs = ({ options }: JobState, { retentionDays }: Periods): number =>
  (options.retention_days ?? retentionDays) * DAY_MS;

/** Timers that are missing, as from now. */
export function mend(timers: Timers, state: JobState, at: number, periods: Periods): void {
  timers.create();
  const { lease, status, deleted, source, url, stage_at } = state;
  if (lease?.end === 'live' && !timers.get('lease')) {
    timers.set('lease', at + periods.leaseMs, { lease: lease.n, batch: 0, graced: false });
  }
  if (waitsForSource(state)) {
    const begun = stage_at.uploading ?? state.created_at;
    if (!timers.get('upload')) timers.set('upload', begun + periods.uploadExpiryMs, {});
    if (url && !timers.get('fetch')) timers.set('fetch', at, { rung: 0, tries: 0 });
  }
  if (source && status === 'pending' && !timers.get('doorbell')) timers.set('doorbell', at, { rung: 0, tries: 0 });
  for (const id of state.webhooks) {
    if (!timers.get(deliveryTo(id))) timers.set(deliveryTo(id), at, { cursor: 0, tries: 0, progress_from: 0 });
  }
  if (deleted && !timers.get('erase')) {
    timers.set('erase', at, { round: 0, tries: 0 });
    timers.set('list', at, { tries: 0 });
  }
  if (hasEnded(status) && !deleted && !timers.get('expiry')) timers.set('expiry', at + keptMs(state, periods), {});
}
