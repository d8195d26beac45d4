/** What the holder of a job's lease is told: the source, the plan, and what earlier attempts have done. */
import { ArtifactName } from '../../contract/ids.ts';
import type { LeaseGrant } from '../../contract/transcoder.ts';
import type { JobState } from './state.ts';
import { track } from './takes.ts';

/** `lease_ms`: how long the lease lives without a report. */
export function grant(state: JobState, lease_ms: number): LeaseGrant {
  const { lease, attempt, source, options, plan, segments, whole, vmaf, artifacts } = state;
  if (!lease) throw new Error('A granted lease is missing from the state');
  const committed = Object.entries(segments).flatMap(([rendition, all]) =>
    track(all).published.map(({ n, take }) => ({ rendition, n, take })),
  );
  return {
    lease: lease.n,
    lease_ms,
    attempt,
    source,
    options,
    plan,
    committed,
    whole: Object.entries(whole).map(([rendition, take]) => ({ rendition, ...take })),
    validated: Object.keys(vmaf),
    artifacts: ArtifactName.options.filter((name) => artifacts[name]),
  };
}
