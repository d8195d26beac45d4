/** A job as the stream has told it so far: the status it began with, brought up to date by each event. */
import type { EventData, StreamEvent } from './events.ts';
import type { Job, Playback, Rendition } from './types.ts';

const NO_PLAYBACK: Playback = { hls: null, dash: null, poster: null, storyboard: null, mp4: null };

/** Null as long as no `status` has come. */
export function jobAfter(job: Job | null, event: StreamEvent): Job | null {
  if (event.event === 'status') {
    const { job_id, message, timestamp, ...status } = event.data;
    return status;
  }
  if (job === null) return null;
  const { status, stage, progress, timestamp, message } = event.data;
  const now = { ...job, status, stage, progress, last_event_id: event.id, updated_at: timestamp };
  const ended = { ...now, eta_seconds: null, completed_at: timestamp };
  switch (event.event) {
    case 'state': {
      const { state, attempt } = event.data.details;
      const again = { error: null, error_message: null, completed_at: null, eta_seconds: null };
      return { ...now, attempt, ...(state === 'retried' && again) };
    }
    case 'progress': {
      const { details } = event.data;
      return details && 'eta_seconds' in details ? { ...now, eta_seconds: details.eta_seconds } : now;
    }
    case 'rendition':
      return { ...now, renditions: job.renditions.map((rendition) => renditionAfter(rendition, event.data.details)) };
    case 'playable':
      return { ...now, playback: event.data.details.playback };
    case 'complete': {
      const { result } = event.data.details;
      return { ...ended, result, playback: result.playback };
    }
    case 'error': {
      const { code, retryable } = event.data.details;
      return { ...ended, error: { code, retryable }, error_message: message, playback: NO_PLAYBACK };
    }
    case 'cancelled':
      return { ...ended, playback: NO_PLAYBACK };
    case 'stage':
    case 'warning':
      return now;
  }
}

function renditionAfter(rendition: Rendition, { name, vmaf }: EventData['rendition']['details']): Rendition {
  return rendition.name === name ? { ...rendition, vmaf, status: vmaf ? 'validated' : 'stored' } : rendition;
}
