/** What carries one connection to a stream: `fetch` and our parser, or an EventSource that the caller has given. */
import { ApiError, isFinal } from './errors.ts';

/** One connection: where to, from where on, and whom to tell. */
export interface Connection {
  readonly url: string;
  /** The id of the last event seen; null for a stream from its beginning. */
  readonly lastEventId: string | null;
  readonly token: string | null;
  readonly signal: AbortSignal;
  onOpen(): void;
  onEvent(name: string, data: string, id: string): void;
  /** The server shows that it is there. */
  onComment(): void;
  /** The server's least time before a reconnect, in ms. */
  onRetry(ms: number): void;
}

/**
 * How a connection ended. `lost`: worth another attempt, not before `retryAfterMs`. `refused`: another attempt would
 * get the same answer. `over`: nothing comes after the last event id.
 */
export type Outcome =
  | { kind: 'lost'; cause: unknown; retryAfterMs: number }
  | { kind: 'refused'; error: ApiError }
  | { kind: 'over' };

/** Resolves when the connection has ended; never rejects. After the signal has aborted, the outcome means nothing. */
export type Transport = (connection: Connection) => Promise<Outcome>;

export const lost = (cause: unknown, retryAfterMs = 0): Outcome => ({ kind: 'lost', cause, retryAfterMs });

/** What an answer other than a stream means. Reads the body. */
export async function outcomeOf(response: Response): Promise<Outcome> {
  const { status, headers } = response;
  if (status === 204) return { kind: 'over' };
  if (response.ok) {
    await response.body?.cancel();
    return lost(new Error(`The answer is no event stream but ${headers.get('Content-Type') ?? 'of no type'}`));
  }
  const error = await ApiError.from(response);
  return isFinal(error) ? { kind: 'refused', error } : lost(error, error.retryAfterMs);
}

export const isEventStream = ({ status, headers }: Response): boolean =>
  status === 200 && /^text\/event-stream\s*(;|$)/i.test(headers.get('Content-Type') ?? '');
