/**
 * The stage `validation`: every rendition that was not measured yet is compared with the source, all in one process.
 * Without libvmaf there is a warning and no number.
 */
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { MEASURE_STALL_MS, REST_NICE } from '../limits.ts';
import type { Source } from '../media/probe.ts';
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
}

export const toMeasure = (lease: Lease, plan: Plan): string[] =>
  plan.video.map(({ name }) => name).filter((name) => !lease.grant.validated.includes(name));

export async function validate(validation: Validation): Promise<void> {
  const { lease, plan, renditions, folder, original, binaries, libvmaf } = validation;
  const names = toMeasure(lease, plan);
  const progress = new StageProgress(lease, 'validation', plan, names);
  if (names.length === 0) return progress.share(1);
  if (!libvmaf || !original) {
    const message = 'The quality was not measured: the ffmpeg of this transcoder has no libvmaf.';
    lease.say({ type: 'warning', code: 'vmaf_unavailable', message, details: {} });
    return progress.share(1);
  }
  const files = [];
  for (const name of names) files.push({ name, file: await renditions.file(name) });
  const watchdog = new Watchdog(MEASURE_STALL_MS);
  let last = 0;
  const onProgress = (share: number) => {
    if (share > last) watchdog.advance();
    last = share;
    progress.share(share);
  };
  const signal = AbortSignal.any([lease.signal, watchdog.signal]);
  const spec = { ...original, binaries, plan, folder, renditions: files, nice: REST_NICE, signal, onProgress };
  const scores = await measureVmaf(spec).finally(() => watchdog.stop());
  for (const [name, vmaf] of scores) lease.say({ type: 'validated', name, vmaf });
  warnIfLow(validation, scores);
  progress.share(1);
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
