/**
 * The stage `validation`: every rendition that was not measured yet is compared with the source, all in one process.
 * What to compare with was kept by the encoder; if that one did not see all pictures, because an earlier attempt had
 * made some of them, it is made now.
 * Without libvmaf there is a warning and no number.
 */
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { MEASURE_STALL_MS, REST_NICE } from '../limits.ts';
import { runFfmpeg, type Workbench } from '../media/ffmpeg.ts';
import { type EncodeJob, encodeArgs } from '../media/ffmpeg-args.ts';
import type { Source } from '../media/probe.ts';
import type { Reference } from '../media/reference.ts';
import { FROM_THE_BEGINNING } from '../media/starting.ts';
import { measureVmaf } from '../media/vmaf.ts';
import { Watchdog } from '../media/watchdog.ts';
import type { Renditions } from './renditions.ts';
import { StageProgress } from './stage-progress.ts';
import type { TaskParts } from './task.ts';

export interface Validation extends TaskParts {
  readonly lease: Lease;
  readonly plan: Plan;
  readonly renditions: Renditions;
  /** The task's. */
  readonly folder: string;
  readonly original: { readonly input: string; readonly source: Source } | null;
  /** For all that is to be measured. */
  readonly references: readonly Reference[];
  readonly referencesMade: boolean;
}

export const toMeasure = (lease: Lease, plan: Plan): string[] =>
  plan.video.map(({ name }) => name).filter((name) => !lease.grant.validated.includes(name));

export async function validate(validation: Validation): Promise<void> {
  const { lease, plan, renditions, folder, original, references, binaries, libvmaf } = validation;
  const names = toMeasure(lease, plan);
  const progress = new StageProgress(lease, 'validation', plan, names);
  if (names.length === 0) return progress.share(1);
  if (!libvmaf || !original) {
    const message = 'The quality was not measured: the ffmpeg of this transcoder has no libvmaf.';
    lease.say({ type: 'warning', code: 'vmaf_unavailable', message, details: {} });
    return progress.share(1);
  }
  for (const name of names) await renditions.get(name).file();
  const watchdog = new Watchdog(MEASURE_STALL_MS);
  const bench = { binaries, folder, nice: REST_NICE, signal: AbortSignal.any([lease.signal, watchdog.signal]) };
  let last = 0;
  const onProgress = (share: number) => {
    if (share > last) watchdog.advance();
    last = share;
    progress.share(share);
  };
  const measure = async () => {
    if (!validation.referencesMade) {
      await makeReferences(bench, { ...original, plan, references }, () => watchdog.advance());
    }
    return measureVmaf({ ...bench, references, fileOf: (name) => renditions.get(name).path, onProgress });
  };
  const scores = await measure().finally(() => watchdog.stop());
  for (const [name, vmaf] of scores) lease.say({ type: 'validated', name, vmaf });
  warnIfLow(validation, scores);
  progress.share(1);
}

async function makeReferences(
  bench: Workbench,
  compared: Pick<EncodeJob, 'input' | 'source' | 'plan' | 'references'>,
  onAdvance: () => void,
): Promise<void> {
  const plan = { ...compared.plan, video: [], audio: null };
  const job = { ...compared, plan, start: FROM_THE_BEGINNING, pipeOf: (name: string) => name };
  const failed = 'The source could not be read to compare with it.';
  await runFfmpeg(bench, { args: encodeArgs(job), failed, onFrames: onAdvance });
}

/** Only the best rendition is judged: lower rungs are meant to be worse. */
function warnIfLow({ lease, plan, settings }: Validation, scores: Awaited<ReturnType<typeof measureVmaf>>): void {
  const best = plan.video.at(-1)?.name ?? '';
  const mean = scores.get(best)?.mean;
  const floor = settings.vmafFloor;
  if (mean === undefined || mean >= floor) return;
  const message = `The quality of ${best} is low: a VMAF of ${mean}, below ${floor}.`;
  lease.say({ type: 'warning', code: 'low_quality', message, details: { rendition: best, mean, floor } });
}
