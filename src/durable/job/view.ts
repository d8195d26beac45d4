/** The job as the API shows it: a projection of the state. */

import { JobSummary } from '../../contract/api.ts';
import { ARTIFACT_FILE, type ArtifactName, MASTER, MPD, outputPath, takePath } from '../../contract/ids.ts';
import type { Job, PlannedVideo, Playback, Rendition, TakeSegment } from '../../contract/job.ts';
import type { JobState } from './state.ts';
import { track, wholeOf } from './takes.ts';

export function view(state: JobState): Job {
  return {
    id: state.job_id,
    key: state.key,
    bucket: state.bucket,
    status: state.status,
    stage: state.stage,
    progress: state.progress,
    workflow_id: state.lease?.end === 'live' ? `main:${state.lease.n}` : null,
    attempt: state.attempt,
    eta_seconds: state.eta_seconds,
    error_message: state.error?.message ?? null,
    error: state.error && { code: state.error.code, retryable: state.error.retryable },
    options: state.options,
    metadata: state.metadata,
    renditions: (state.plan?.video ?? []).map((video) => rendition(state, video)),
    playback: playback(state),
    result: state.result,
    latest_events: state.latest_events,
    last_event_id: state.last_visible_seq,
    created_at: iso(state.created_at),
    updated_at: iso(state.updated_at),
    completed_at: state.completed_at === null ? null : iso(state.completed_at),
  };
}

/** The job as the list shows it. */
export const summary = (state: JobState): JobSummary => JobSummary.parse(view(state));

const iso = (at: number): string => new Date(at).toISOString();

/** HLS as soon as the master names a rung, the rest with the closed manifests; nothing after a run without success. */
export function playback({ job_id, status, listed, artifacts }: Playable): Playback {
  const isOver = status === 'completed';
  const file = (name: ArtifactName): string | null => {
    const stored = artifacts[name];
    return stored && isOver ? outputPath(job_id, takePath(name, stored.take, ARTIFACT_FILE[name])) : null;
  };
  const gone = status === 'failed' || status === 'cancelled';
  return {
    hls: listed.length > 0 && !gone ? outputPath(job_id, MASTER) : null,
    dash: isOver ? outputPath(job_id, MPD) : null,
    poster: file('poster'),
    storyboard: file('storyboard'),
    mp4: file('mp4'),
  };
}

type Playable = Pick<JobState, 'job_id' | 'status' | 'listed' | 'artifacts'>;

function rendition(state: JobState, video: PlannedVideo): Rendition {
  const all = state.segments[video.name] ?? [];
  const whole = wholeOf(state, video.name);
  const segments = whole ?? track(all).published;
  return {
    name: video.name,
    width: video.width,
    height: video.height,
    fps: video.fps.num / video.fps.den,
    ...bandwidth(segments),
    codecs: video.codecs,
    size_bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    vmaf: state.vmaf[video.name] ?? null,
    status: state.vmaf[video.name] ? 'validated' : whole ? 'stored' : segments.length > 0 ? 'encoding' : 'pending',
  };
}

/**
 * Peak and average bit/s. The peak is taken as RFC 8216 section 4.1 says: over runs of segments that last between 0.5
 * and 1.5 target durations; so a short last segment counts together with the one before it.
 */
export function bandwidth(segments: readonly TakeSegment[]): {
  bandwidth: number | null;
  average_bandwidth: number | null;
} {
  if (segments.length === 0) return { bandwidth: null, average_bandwidth: null };
  const target = Math.max(...segments.map(({ duration }) => duration));
  const peak = Math.max(
    ...segments.map((segment, i) => {
      const before = segments[i - 1];
      return before && segment.duration < target / 2 ? rate([before, segment]) : rate([segment]);
    }),
  );
  return { bandwidth: Math.ceil(peak), average_bandwidth: Math.ceil(rate(segments)) };
}

function rate(segments: readonly TakeSegment[]): number {
  const seconds = segments.reduce((sum, { duration }) => sum + duration, 0);
  return segments.reduce((sum, { bytes }) => sum + bytes * 8, 0) / seconds;
}
