/** Tries a call again, with jittered backoff, while the edge is away and as long as the caller sees a point in it. */
import pRetry from 'p-retry';
import { EdgeUnavailable } from '../errors.ts';
import { requestRetries } from '../metrics.ts';

export interface RetryRule {
  readonly signal?: AbortSignal;
  readonly retries?: number;
  /** Asked after each failure. */
  readonly worthIt?: () => boolean;
}

const LONGEST_MS = 2_000;

export function whileUnavailable<T>(call: () => Promise<T>, rule: RetryRule): Promise<T> {
  return pRetry(call, {
    retries: rule.retries ?? Number.POSITIVE_INFINITY,
    minTimeout: 150,
    maxTimeout: jittered(LONGEST_MS),
    randomize: true,
    signal: rule.signal,
    shouldRetry({ error }) {
      const goesOn = error instanceof EdgeUnavailable && (rule.worthIt?.() ?? true);
      if (goesOn) requestRetries.inc();
      return goesOn;
    },
  });
}

/** The pause after so many tries in a row: doubles up to `most`, jittered. */
export const backoff = ({ first, most }: { first: number; most: number }, tries: number): number =>
  jittered(Math.min(most, first * 2 ** Math.min(tries - 1, 10)));

const jittered = (ms: number): number => ms * (0.7 + 0.3 * Math.random());
