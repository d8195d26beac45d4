/** What the holder of a job's lease is told: the source, the plan, and what earlier attempts have done. */
import { ArtifactName } from '../../contract/ids.ts';
import { type Plan, renditionNames, type TakeSegment } from '../../contract/job.ts';
import type { Committed, LeaseGrant } from '../../contract/transcoder.ts';
import type { JobState } from './state.ts';
import { sharedInit, track, wholeOf } from './takes.ts';

/** A video segment that is shorter than the grid by more than this, in seconds, is the last one. */
const GRID_SECONDS = 0.001;

/** `lease_ms`: how long the lease lives without a report. */
export function grant(state: JobState, lease_ms: number): LeaseGrant {
  const { lease, attempt, source, options, plan, vmaf, artifacts } = state;
  if (!lease || !source) throw new Error('A granted lease, or its source, is missing from the state');
  return {
    lease: lease.n,
    lease_ms,
    attempt,
    source,
    options,
    plan,
    committed: plan ? renditionNames(plan).flatMap((name) => committed(state, plan, name)) : [],
    validated: Object.keys(vmaf),
    artifacts: ArtifactName.options.filter((name) => artifacts[name]),
  };
}

function committed(state: JobState, plan: Plan, rendition: string): Committed[] {
  const { published, inits } = track(state.segments[rendition] ?? []);
  const whole = wholeOf(state, rendition);
  const segments = whole ?? published;
  const last = segments.at(-1);
  if (!last) return [];
  return [
    {
      rendition,
      runs: runs(segments),
      init_sha256: sharedInit(segments, inits),
      ended: rendition !== plan.audio?.name && last.duration < plan.segment_seconds - GRID_SECONDS,
      whole: whole !== null,
    },
  ];
}

export function runs(segments: readonly TakeSegment[]): Committed['runs'] {
  const found: Committed['runs'] = [];
  for (const { take, n } of segments) {
    const last = found.at(-1);
    if (last?.take === take) last.to = n;
    else found.push({ take, from: n, to: n });
  }
  return found;
}
