/** What readers may see of a job's outputs: the input of the manifests, and the guard of the segments. */
import type { Plan, TakeSegment } from '../../contract/job.ts';
import { Refusal } from './draft.ts';
import type { JobState } from './state.ts';
import { shownLimit, takeOf, track } from './takes.ts';

/** One rendition: what is published for HLS, where the take may change, and the whole take that DASH names. */
export interface RenditionOutputs {
  published: TakeSegment[];
  inits: TakeSegment[];
  /** `null` until one take is whole. */
  whole: TakeSegment[] | null;
}

export interface Outputs {
  job_id: string;
  plan: Plan;
  /** The rungs that the master names, from the lowest up. */
  listed: string[];
  /** By rendition; `audio` is one. */
  renditions: Record<string, RenditionOutputs>;
}

/** While the job runs, playlists end where `shownLimit` says; `everything` lifts that for the closed manifests. */
export function outputs(state: JobState, everything = false): Outputs {
  const { job_id, plan, listed } = state;
  if (!plan) throw new Refusal('not_found', 'There is nothing to play yet. Wait for the event "playable".');
  const limit = everything ? Number.POSITIVE_INFINITY : shownLimit(state);
  const renditions: Outputs['renditions'] = {};
  for (const { name } of plan.audio ? [...plan.video, plan.audio] : plan.video) {
    const all = state.segments[name] ?? [];
    const { published, inits } = track(all);
    const whole = state.whole[name];
    renditions[name] = {
      published: published.slice(0, limit),
      inits: [...inits.values()],
      whole: whole ? takeOf(all, whole.take) : null,
    };
  }
  return { job_id, plan, listed: everything ? plan.video.map(({ name }) => name) : listed, renditions };
}

export function segmentIsPublic(state: JobState, rendition: string, take: number, n: number): boolean {
  return (state.segments[rendition] ?? []).some((segment) => segment.n === n && segment.take === take);
}
