/** What readers may see of a job's outputs: the input of the manifests, and the guard of the segments. */
import { segmentName, takePath } from '../../contract/ids.ts';
import { type Plan, renditionNames, type TakeSegment } from '../../contract/job.ts';
import { Refusal } from './draft.ts';
import type { JobState } from './state.ts';
import { shownLimit, track, wholeOf } from './takes.ts';

/** One rendition: what is published for HLS, where the take may change, and what DASH names. */
export interface RenditionOutputs {
  published: TakeSegment[];
  /** Of the takes that the other two are made of. */
  inits: TakeSegment[];
  /** One take, or several with equal init segments; `null` until the rendition is whole. */
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
  for (const name of renditionNames(plan)) {
    const { published, inits } = track(state.segments[name] ?? []);
    const whole = wholeOf(state, name);
    const takes = new Set([...published, ...(whole ?? [])].map(({ take }) => take));
    renditions[name] = {
      published: published.slice(0, limit),
      inits: [...inits.values()].filter(({ take }) => takes.has(take)),
      whole,
    };
  }
  const rungs = everything ? plan.video.map(({ name }) => name) : listed;
  return { job_id, plan, listed: rungs, renditions, artifacts };
}

/** The objects behind all this, as paths below the job's outputs. */
export function namedObjects({ renditions, artifacts }: Pick<Outputs, 'renditions' | 'artifacts'>): NamedObject[] {
  return [
    ...Object.entries(renditions).flatMap(([name, { published, inits, whole }]) =>
      [...published, ...announced(published, inits), ...announced(whole ?? [], inits), ...(whole ?? [])].map(
        ({ take, n, bytes }) => ({ path: takePath(name, take, segmentName(n)), bytes }),
      ),
    ),
    ...Object.entries(artifacts).flatMap(([name, { take, files }]) =>
      files.map((file) => ({ path: takePath(name, take, file.name), bytes: file.bytes })),
    ),
  ];
}

/** The init segments that a list of segments needs: the first one, and each that differs from the one before. */
function announced(segments: readonly TakeSegment[], inits: readonly TakeSegment[]): TakeSegment[] {
  const found: TakeSegment[] = [];
  for (const { take } of segments) {
    const init = inits.find((one) => one.take === take);
    if (init && init.sha256 !== found.at(-1)?.sha256) found.push(init);
  }
  return found;
}

export interface NamedObject {
  readonly path: string;
  readonly bytes: number;
}

export function segmentIsPublic(state: JobState, rendition: string, take: number, n: number): boolean {
  return (state.segments[rendition] ?? []).some((segment) => segment.n === n && segment.take === take);
}

export function artifactIsPublic(state: JobState, name: string, take: number, file: string): boolean {
  const stored = Object.entries(state.artifacts).find(([known]) => known === name)?.[1];
  return stored?.take === take && stored.files.some((other) => other.name === file);
}
