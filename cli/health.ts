/** What a server says of itself, and when it said it. */
import { ApiError } from '../client/index.ts';
import { Health } from '../src/contract/api.ts';

export interface Answer {
  health: Health;
  /** By how much its clock is ahead of ours, in ms and roughly; null when it does not tell the time. */
  aheadMs: number | null;
}

const PATIENCE_MS = 10_000;
/** A `Date` header has whole seconds: on average half a second has gone by. */
const HALF_A_SECOND = 500;

/** Throws what `fetch` throws when nothing answers, an `ApiError` when something else than a Reelwire does. */
export async function askHealth(url: string, stop: AbortSignal): Promise<Answer> {
  const askedAt = Date.now();
  const response = await fetch(`${url}/health`, { signal: AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)]) });
  const now = (askedAt + Date.now()) / 2;
  if (!response.ok) throw await ApiError.from(response);
  const health = Health.safeParse(await response.json().catch(() => null));
  if (!health.success) {
    const detail = 'What answers there is no Reelwire, or one of a very different version.';
    throw new ApiError(response.status, `http_${response.status}`, detail, null);
  }
  const date = Date.parse(response.headers.get('Date') ?? '');
  return { health: health.data, aheadMs: Number.isNaN(date) ? null : date + HALF_A_SECOND - now };
}
