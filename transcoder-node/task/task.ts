/**
 * One task from lease to end: fetch, probe, plan, encode while segments leave, measure, package, finish. What earlier
 * attempts have done is left out, and when nothing needs the source it is not even fetched. Whatever happens on the
 * way, at the end its processes are dead, its folder is gone, and the edge has been told what it needs to hear: a
 * result, an error, a release when this process shuts down, or nothing when the lease is no longer ours or the job is
 * cancelled.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { asFailure, Cancelled, EdgeRefused, LeaseLost, ShuttingDown, toError } from '../errors.ts';
import { DISK_FACTOR } from '../limits.ts';
import type { Binaries } from '../media/binaries.ts';
import { probe, type Source } from '../media/probe.ts';
import { bytesOf, type Reference, referencesFor } from '../media/reference.ts';
import { attempts, encodeSpeed, failures, type Result } from '../metrics.ts';
import { agreeOnPlan, judge } from './agree.ts';
import { Artifacts } from './artifacts.ts';
import { needRoom } from './disk.ts';
import { download } from './download.ts';
import { encode } from './encode.ts';
import { removeFolder } from './folders.ts';
import { fetchProgress } from './progress.ts';
import { Renditions } from './renditions.ts';
import { timed } from './timed.ts';
import { toMeasure, validate } from './validation.ts';

export interface TaskParts {
  readonly binaries: Binaries;
  /** Whether ffmpeg can measure. */
  readonly libvmaf: boolean;
  readonly workFolder: string;
  readonly settings: {
    /** Mean VMAF of the best rendition below which there is a warning. */
    readonly vmafFloor: number;
    /** An encoder that does not advance for so long has stalled. */
    readonly stallMs: number;
  };
}

interface Task extends TaskParts {
  readonly lease: Lease;
  readonly folder: string;
  readonly log: Logger;
}

interface Original {
  readonly input: string;
  readonly source: Source;
}

export async function runTask(parts: TaskParts, lease: Lease, log: Logger): Promise<void> {
  const folder = join(parts.workFolder, `${lease.job}.${lease.grant.lease}`);
  log.info({ attempt: lease.grant.attempt }, 'task begins');
  try {
    await mkdir(folder);
    const seconds = await work({ ...parts, lease, folder, log });
    await lease.drained();
    await lease.finish({ result: { duration_seconds: seconds } });
    attempts.inc({ result: 'completed' });
  } catch (error) {
    await conclude(lease, lease.signal.aborted ? toError(lease.signal.reason) : toError(error), log);
  } finally {
    await lease.close();
    await removeFolder(folder).catch((error: unknown) => log.error({ error }, 'a task folder could not be removed'));
  }
}

/** Resolves with the duration of the video, in seconds. */
async function work(task: Task): Promise<number> {
  const { lease, folder, log } = task;
  const known = lease.grant.plan && new Renditions(lease, lease.grant.plan, folder);
  const needed = needsSource(task, known);
  const message = needed ? 'Fetching the source' : 'Every rendition is stored';
  lease.say({ type: 'stage', stage: 'transcoding', message });
  const original = needed ? await timed(log, 'fetching', () => fetchSource(task)) : null;
  const plan = original ? agreeOnPlan(lease, original.source) : lease.grant.plan;
  if (!plan) throw new Error('there is neither a plan nor a source');
  const renditions = known ?? new Renditions(lease, plan, folder);
  renditions.announce();
  const references =
    original && task.libvmaf ? referencesFor(plan, original.source.size, toMeasure(lease, plan), folder) : [];
  await needRoom(folder, bytesOf(references));
  const artifacts = new Artifacts({ ...task, plan, renditions });
  const parts = { ...task, plan, renditions, original, references, artifacts };
  try {
    const { seconds, referencesMade } = await timed(log, 'transcoding', () => encodeMissing(parts));
    await timed(log, 'validation', () => validate({ ...parts, referencesMade }));
    await timed(log, 'packaging', () => artifacts.finish());
    return seconds;
  } finally {
    await artifacts.stop();
  }
}

function needsSource({ lease, libvmaf }: Task, known: Renditions | null): boolean {
  const { plan } = lease.grant;
  if (!plan || !known?.complete) return true;
  return libvmaf && toMeasure(lease, plan).length > 0;
}

async function fetchSource({ binaries, folder, lease }: Task): Promise<Original> {
  const { attempt, source: promised } = lease.grant;
  const input = join(folder, 'source');
  await needRoom(folder, promised.size_bytes * DISK_FACTOR);
  await download(lease, input, (total) => lease.say(fetchProgress(total / promised.size_bytes, attempt)));
  return { input, source: await probe(input, { binaries, folder, signal: lease.signal }) };
}

interface Making extends Task {
  readonly plan: Plan;
  readonly renditions: Renditions;
  readonly original: Original | null;
  readonly references: readonly Reference[];
  readonly artifacts: Artifacts;
}

async function encodeMissing(making: Making): Promise<{ seconds: number; referencesMade: boolean }> {
  const { plan, renditions, original, artifacts, settings } = making;
  const { video, audio } = renditions.missing;
  const lowest = plan.video[0];
  if (lowest && !video.includes(lowest)) void artifacts.begin();
  if (!original || (video.length === 0 && !audio)) {
    return { seconds: await renditions.storedSeconds(), referencesMade: false };
  }
  const onRendition = (name: string) => {
    if (name === lowest?.name) void artifacts.begin();
  };
  const begun = performance.now();
  const encoded = await encode({ ...making, ...original, stallMs: settings.stallMs, onRendition });
  const seconds = encoded.duration ?? (await renditions.storedSeconds());
  if (making.lease.grant.committed.length === 0) encodeSpeed.observe((seconds * 1000) / (performance.now() - begun));
  judge(making.lease, plan, seconds, encoded.decodeErrors);
  return { seconds, referencesMade: encoded.references };
}

async function conclude(lease: Lease, error: Error, log: Logger): Promise<void> {
  const result = resultOf(error);
  attempts.inc({ result });
  try {
    if (result === 'released') {
      await lease.release();
      log.info('released');
    } else if (result !== 'failed') {
      log.warn({ reason: error.message }, 'stopped');
    } else {
      log.error({ err: error }, 'the task failed');
      const { code, message, retryable } = asFailure(error);
      failures.inc({ code });
      await lease.finish({ error: { code, message, retryable } });
    }
  } catch (farewell) {
    log.warn({ error: toError(farewell).message }, 'the edge could not be told');
  }
}

function resultOf(error: Error): Exclude<Result, 'completed'> {
  if (error instanceof ShuttingDown) return 'released';
  if (error instanceof Cancelled) return 'cancelled';
  return error instanceof LeaseLost || (error instanceof EdgeRefused && error.endsLease) ? 'lost' : 'failed';
}
