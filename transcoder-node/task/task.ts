/**
 * One task from lease to end: fetch, probe, plan, encode while segments leave, finish. Whatever happens on the way, at
 * the end its processes are dead, its folder is gone, and the edge has been told what it needs to hear: a result, an
 * error, a release when this process shuts down, or nothing when the lease is no longer ours or the job is cancelled.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Plan } from '../../src/contract/job.ts';
import { stageProgress } from '../../src/contract/stages.ts';
import type { Lease } from '../edge/lease.ts';
import { asFailure, Cancelled, EdgeRefused, LeaseLost, ShuttingDown, TaskFailure, toError } from '../errors.ts';
import {
  ENCODE_NICE,
  INCOMPLETE_BELOW,
  LOSS_SLACK_SECONDS,
  MAX_NAMED_TRACKS,
  PROGRESS_GAP_MS,
  TRUNCATED_BELOW,
} from '../limits.ts';
import type { Binaries } from '../media/binaries.ts';
import { runPair } from '../media/pair.ts';
import { makePlan } from '../media/plan.ts';
import { probe, type Source } from '../media/probe.ts';
import { download } from './download.ts';
import { removeFolder } from './folders.ts';
import { EncodeProgress, fetchProgress } from './progress.ts';
import { ship } from './shipping.ts';

export interface TaskParts {
  readonly binaries: Binaries;
  readonly workFolder: string;
}

export async function runTask(parts: TaskParts, lease: Lease, log: Logger): Promise<void> {
  const folder = join(parts.workFolder, `${lease.job}.${lease.grant.lease}`);
  log.info({ lease: lease.grant.lease, attempt: lease.grant.attempt }, 'task begins');
  try {
    await mkdir(folder);
    const seconds = await work(parts.binaries, folder, lease, log);
    await lease.drained();
    await lease.finish({ result: { duration_seconds: seconds } });
  } catch (error) {
    await conclude(lease, lease.signal.aborted ? toError(lease.signal.reason) : toError(error), log);
  } finally {
    await lease.close();
    await removeFolder(folder).catch((error: unknown) => log.error({ error }, 'a task folder could not be removed'));
  }
}

async function work(binaries: Binaries, folder: string, lease: Lease, log: Logger): Promise<number> {
  const { attempt, source: promised } = lease.grant;
  const input = join(folder, 'source');
  lease.say({ type: 'stage', stage: 'transcoding', message: 'Fetching the source' });
  await download(lease, input, (total) => lease.say(fetchProgress(total / promised.size_bytes, attempt)));
  const source = await probe(input, { binaries, folder, signal: lease.signal });
  const plan = agreeOnPlan(lease, source);
  if (source.dropped.length > 0) {
    const tracks = source.dropped.slice(0, MAX_NAMED_TRACKS);
    const message = `Only one video and one audio track are used; left out: ${tracks.join(', ')}`;
    lease.say({ type: 'warning', code: 'tracks_dropped', message, details: { tracks } });
  }
  const { progress, duration } = await encode(binaries, folder, input, source, plan, lease, log);
  for (const [stage, message] of [
    ['validation', 'Validating'],
    ['packaging', 'Packaging'],
  ] as const) {
    lease.say({ type: 'stage', stage, message });
    lease.say({ type: 'progress', stage, progress: stageProgress(stage, 1), message, details: progress.details() });
  }
  return duration;
}

function agreeOnPlan(lease: Lease, source: Source): Plan {
  const given = lease.grant.plan;
  if (given === null) {
    const plan = makePlan(source);
    lease.say({ type: 'plan', plan });
    return plan;
  }
  if (given.audio !== null && source.audio === null) {
    throw new TaskFailure('cannot_follow_plan', 'This transcoder does not see the audio track that others saw.');
  }
  return given;
}

async function encode(
  binaries: Binaries,
  folder: string,
  input: string,
  source: Source,
  plan: Plan,
  lease: Lease,
  log: Logger,
): Promise<{ progress: EncodeProgress; duration: number }> {
  const progress = new EncodeProgress(plan, lease.grant.attempt, performance.now());
  const apart = new AbortController();
  const signal = AbortSignal.any([lease.signal, apart.signal]);
  const outputs = join(folder, 'outputs');
  const pair = runPair({
    ...{ binaries, plan, source, input, signal, log },
    folder: outputs,
    nice: ENCODE_NICE,
    onFrame: (rendition, frames) => progress.frame(rendition, frames),
  });
  const onRendition = (name: string) => progress.renditionDone(name);
  const shipped = ship({ lease, plan, folder: outputs, signal, encoded: pair, onRendition });
  const ticker = setInterval(() => lease.say(progress.sample(performance.now())), PROGRESS_GAP_MS);
  try {
    const [{ decodeErrors }, durations] = await Promise.all([pair, shipped]);
    lease.say(progress.sample(performance.now()));
    const duration = Math.max(...plan.video.map(({ name }) => durations.get(name) ?? 0));
    judge(lease, plan, duration, decodeErrors);
    return { progress, duration };
  } finally {
    clearInterval(ticker);
    apart.abort();
    await Promise.allSettled([pair, shipped]);
  }
}

/** What the file promised against what came out of it. */
function judge(lease: Lease, plan: Plan, duration: number, decodeErrors: number): void {
  const share = plan.duration - duration > LOSS_SLACK_SECONDS ? duration / plan.duration : 1;
  if (share < TRUNCATED_BELOW) {
    throw new TaskFailure('truncated', 'Less than half of the video that the file promises is in it.');
  }
  if (share < INCOMPLETE_BELOW) {
    const message = `The file promises ${plan.duration.toFixed(1)} s of video but holds ${duration.toFixed(1)} s.`;
    const details = { promised_seconds: plan.duration, decoded_seconds: duration };
    lease.say({ type: 'warning', code: 'incomplete_source', message, details });
  }
  if (decodeErrors > 0) {
    const message = `Parts of the file are damaged: ${decodeErrors} decoding errors.`;
    lease.say({ type: 'warning', code: 'decode_errors', message, details: { count: decodeErrors } });
  }
}

async function conclude(lease: Lease, error: Error, log: Logger): Promise<void> {
  try {
    if (error instanceof ShuttingDown) {
      await lease.release();
      log.info('released');
    } else if (
      error instanceof LeaseLost ||
      error instanceof Cancelled ||
      (error instanceof EdgeRefused && error.endsLease)
    ) {
      log.warn({ reason: error.message }, 'stopped');
    } else {
      log.error({ err: error }, 'the task failed');
      const { code, message, retryable } = asFailure(error);
      await lease.finish({ error: { code, message, retryable } });
    }
  } catch (farewell) {
    log.warn({ error: toError(farewell).message }, 'the edge could not be told');
  }
}
