/** What is said once about a source: the plan, and what of the file is left out; later attempts follow. */
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { TaskFailure } from '../errors.ts';
import { INCOMPLETE_BELOW, LOSS_SLACK_SECONDS, MAX_NAMED_TRACKS, TRUNCATED_BELOW } from '../limits.ts';
import { makePlan } from '../media/plan.ts';
import type { Source } from '../media/probe.ts';

export function agreeOnPlan(lease: Lease, source: Source): Plan {
  const given = lease.grant.plan;
  if (given === null) return decide(lease, source);
  if (given.audio !== null && source.audio === null) {
    throw new TaskFailure('cannot_follow_plan', 'This transcoder does not see the audio track that others saw.');
  }
  return given;
}

function decide(lease: Lease, source: Source): Plan {
  const plan = makePlan(source, lease.grant.options);
  lease.say({ type: 'plan', plan });
  if (source.dropped.length > 0) {
    const tracks = source.dropped.slice(0, MAX_NAMED_TRACKS);
    const message = `Only one video and one audio track are used; left out: ${tracks.join(', ')}`;
    lease.say({ type: 'warning', code: 'tracks_dropped', message, details: { tracks } });
  }
  return plan;
}

/** What the file promised against what came out of it. */
export function judge(lease: Lease, plan: Plan, duration: number, decodeErrors: number): void {
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
