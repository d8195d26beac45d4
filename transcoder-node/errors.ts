/**
 * Two families. `TaskFailure` ends an attempt and is told to the edge, so its message is for users: a sentence that
 * helps, without paths or tool output. The others are reasons to stop at once: whoever waits on a lease's signal finds
 * one of them as its `reason`, and nothing but a release is said to the edge afterwards.
 */
import type { JobErrorCode } from '../src/contract/errors.ts';
import { PROTOCOL } from '../src/contract/transcoder.ts';

/** The codes that blame the machine rather than the file: another attempt may succeed. */
const RETRYABLE: ReadonlySet<JobErrorCode> = new Set([
  'transcoder_lost',
  'encode_failed',
  'stalled',
  'no_space',
  'internal',
  'cannot_follow_plan',
]);

export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly code: JobErrorCode;
  readonly retryable: boolean;

  constructor(code: JobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = RETRYABLE.has(code);
  }
}

/** The edge no longer takes our word for this task. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The edge asks to stop: the job was cancelled. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** This process is going away. */
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown';
}

/** This process is going away, because the edge does not speak its protocol: no job of that edge is for it. */
export class NotUnderstood extends ShuttingDown {
  constructor(spoken: string | null) {
    super(
      `The edge does not speak protocol ${PROTOCOL} of this transcoder, but ${spoken ?? 'another'}. ` +
        'Install the release that the edge has (its /health says which), then start it again.',
    );
  }
}

/** The edge did not answer, or not with something to build on; the same call may succeed later. */
export class EdgeUnavailable extends Error {
  override readonly name = 'EdgeUnavailable';
}

/** The edge answered that it will not. */
export class EdgeRefused extends Error {
  override readonly name = 'EdgeRefused';
  readonly status: number;
  readonly code: string;

  /** `detail` is the edge's sentence about what to do. */
  constructor(status: number, code: string, detail = '') {
    super(`the edge refused: ${status} ${code}${detail && `: ${detail}`}`);
    this.status = status;
    this.code = code;
  }

  /** A stale lease, or a job that is gone; an object that is not stored is neither. */
  get endsLease(): boolean {
    if (this.status === 409) return this.code === 'lease_lost' || this.code === '';
    if (this.status === 404) return this.code !== 'not_found';
    return [401, 403, 410, 426].includes(this.status);
  }
}

/** What the edge is told about any error that ends an attempt. */
export function asFailure(error: Error): TaskFailure {
  if (error instanceof TaskFailure) return error;
  if ('code' in error && error.code === 'ENOSPC') {
    return new TaskFailure('no_space', 'The disk of the transcoder is full.', { cause: error });
  }
  return new TaskFailure('internal', 'Something went wrong in the transcoder.', { cause: error });
}

export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
