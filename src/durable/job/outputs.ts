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
  artifacts: JobState['artifacts'];
}

/** While the job runs, playlists end where `shownLimit` says; `everything` lifts that for the closed manifests. */
export function outputs(state: JobState, everything = false): Outputs {
  const { job_id, plan, listed, artifacts } = state;
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
  const rungs = everything ? plan.video.map(({ name }) => name) : listed;
  return { job_id, plan, listed: rungs, renditions, artifacts };
}

export function segmentIsPublic(state: JobState, rendition: string, take: number, n: number): boolean {
  return (state.segments[rendition] ?? []).some((segment) => segment.n === n && segment.take === take);
}

export function artifactIsPublic(state: JobState, name: string, take: number, file: string): boolean {
  const stored = Object.entries(state.artifacts).find(([known]) => known === name)?.[1];
  return stored?.take === take && stored.files.some((other) => other.name === file);
}
