/** The states and stages of a job, and the share of the progress bar that each stage owns. */
import { z } from 'zod';

/**
 * `pending`: waits for a transcoder. `processing`: a transcoder holds its lease. `completed`: every output is stored.
 * `failed` and `cancelled` are left only by retry (-> `pending`) or delete.
 */
export const Status = z.enum(['pending', 'processing', 'completed', 'failed', 'cancelled']);
export type Status = z.infer<typeof Status>;

export const hasEnded = (status: Status): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled';

export const Stage = z.enum(['uploading', 'transcoding', 'validation', 'packaging', 'storage', 'completed']);
export type Stage = z.infer<typeof Stage>;

/** Percent at which a stage begins and ends. */
export const STAGE_PERCENT: Record<Stage, { from: number; to: number }> = {
  uploading: { from: 5, to: 10 },
  transcoding: { from: 10, to: 50 },
  validation: { from: 50, to: 75 },
  packaging: { from: 75, to: 85 },
  storage: { from: 85, to: 95 },
  completed: { from: 100, to: 100 },
};

/** How far along the pipeline a stage is; a stage never gives way to an earlier one within an attempt. */
export const stageRank = (stage: Stage): number => Stage.options.indexOf(stage);

/** Percent of the whole job when `fraction` (0-1) of a stage is done. */
export function stageProgress(stage: Stage, fraction: number): number {
  const { from, to } = STAGE_PERCENT[stage];
  return Math.floor(from + (to - from) * Math.min(1, Math.max(0, fraction)));
}
