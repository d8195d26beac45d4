/** Tries a call again, with jittered backoff, while the edge is away and as long as the caller sees a point in it. */
import pRetry from 'p-retry';
import { EdgeUnavailable } from '../errors.ts';

export interface RetryRule {
  readonly signal?: AbortSignal;
  readonly retries?: number;
  /** Asked after each failure. */
  readonly worthIt?: () => boolean;
}

export function whileUnavailable<T>(call: () => Promise<T>, rule: RetryRule): Promise<T> {
  return pRetry(call, {
    retries: rule.retries ?? Number.POSITIVE_INFINITY,
    minTimeout: 150,
    maxTimeout: 2_000,
    randomize: true,
    signal: rule.signal,
    shouldRetry: ({ error }) => error instanceof EdgeUnavailable && (rule.worthIt?.() ?? true),
  });
}
