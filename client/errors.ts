/**
 * What can go wrong: a request that the server refuses (`ApiError`), a watch without its end
 * (`WatchError`), an upload that does not get on (`UploadError`).
 */
import { retryAfterMs } from './delay.ts';
import type { Problem } from './types.ts';

/** The server answered a request with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status. */
  readonly status: number;
  /** Stable, for programs: `job_not_found`; `http_502` when the answer was not Reelwire's. */
  readonly code: string;
  /** For people: what is wrong, and what to do. */
  readonly detail: string;
  /** Names the request in the server's log; null when the answer does not say it. */
  readonly requestId: string | null;
  /** How long the server wants to be left alone, in ms; 0 when it does not say it. */
  readonly retryAfterMs: number;

  constructor(status: number, code: string, detail: string, requestId: string | null, retryAfterMs = 0) {
    super(`${status} ${code}: ${detail}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /** Reads the problem in the body; an answer of something in between has none. */
  static async from(response: Response): Promise<ApiError> {
    const { status } = response;
    const problem: Partial<Record<keyof Problem, unknown>> = (await response.json().catch(() => null)) ?? {};
    const { code, detail, request_id } = problem;
    return new ApiError(
      status,
      typeof code === 'string' ? code : `http_${status}`,
      typeof detail === 'string' ? detail : 'The answer does not say why. Is this the address of a Reelwire?',
      typeof request_id === 'string' ? request_id : response.headers.get('X-Request-Id'),
      retryAfterMs(response.headers),
    );
  }
}

const PASSING = [408, 429];

/** Whether another attempt would get the same answer. */
export const isFinal = ({ status }: ApiError): boolean => status >= 400 && status < 500 && !PASSING.includes(status);

/**
 * Why a watch is over although the run may not be. `gave_up`: every attempt to reconnect failed; `cause` is the last
 * failure. `refused`: the server will not serve this stream; `cause` is its `ApiError`. `ended`: the run was over
 * before, and all of it had been seen. `closed`: by `close()` or the signal, whose reason is the `cause`.
 */
export type WatchErrorCode = 'gave_up' | 'refused' | 'ended' | 'closed';

export class WatchError extends Error {
  override readonly name = 'WatchError';
  readonly code: WatchErrorCode;
  /** The HTTP status of the answer that was the cause; null when there was none. */
  readonly status: number | null;

  constructor(code: WatchErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = cause instanceof ApiError ? cause.status : null;
  }
}

/**
 * Why an upload has stopped although the server refuses nothing. `gave_up`: every attempt failed; `cause` is the last
 * failure. `unreadable`: the file cannot be read, perhaps because it has changed on the disk; `cause` says more.
 */
export type UploadErrorCode = 'gave_up' | 'unreadable';

export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly code: UploadErrorCode;

  constructor(code: UploadErrorCode, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Says what failed; `fetch` hides it one level down. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
