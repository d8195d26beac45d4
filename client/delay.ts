/** How long to wait: before the next attempt, and at all. */

/** Resolves after `ms` milliseconds, or as soon as the signal aborts. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

/** Timers hold no more; beyond it they would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const delay: Delay = (ms, signal) =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, LONGEST_MS));
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });

const FIRST_STEP_MS = 1000;
const LAST_STEP_MS = 16_000;

/**
 * Milliseconds before attempt number `attempt`, from 1: 1, 2, 4, 8, 16, 16 ... s, but at least `floorMs`; and up to
 * half a step more, so that those who lost their streams together do not come back together.
 */
export function backoffMs(attempt: number, floorMs: number): number {
  const step = Math.min(FIRST_STEP_MS * 2 ** (attempt - 1), LAST_STEP_MS);
  return Math.round(Math.max(step, floorMs) + (Math.random() * step) / 2);
}

/** `Retry-After` in ms from now: seconds or a date; 0 when there is none. */
export function retryAfterMs(headers: Headers): number {
  const value = headers.get('Retry-After')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  return Math.max(0, Date.parse(value) - Date.now()) || 0;
}
