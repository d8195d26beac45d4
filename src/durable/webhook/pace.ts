/**
 * When an endpoint may be tried again, as pure functions. Each event has a schedule of its own. Several failures in a
 * row, of whatever events, open the breaker: then only one event at a time is tried, after pauses that grow, and its
 * attempts are not counted. The first success closes it.
 */
import { z } from 'zod';

/** So many failures in a row open the breaker. */
const FAILURES = 5;

const JITTER = 0.2;
const LONGEST_PAUSE_MS = 15 * 60_000;
const SHORTEST_PAUSE_MS = 50;

/** A receiver that asks for more is asked again after this. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** `probes`: failed ones since the breaker opened. Nothing is sent before `quiet_until`. Times in ms since 1970. */
export const Health = z.object({
  failures: z.int(),
  failing_since: z.int().nullable(),
  last_failure: z.string().nullable(),
  probes: z.int(),
  quiet_until: z.number(),
});
export type Health = z.infer<typeof Health>;

export const HEALTHY: Health = { failures: 0, failing_since: null, last_failure: null, probes: 0, quiet_until: 0 };

export const isOpen = ({ failures }: Health): boolean => failures >= FAILURES;

export interface Failure {
  at: number;
  what: string;
  probe: boolean;
  retryAfterMs: number;
}

export function afterFailure(health: Health, failure: Failure, schedule: readonly number[]): Health {
  const { at, what, probe, retryAfterMs } = failure;
  const failures = health.failures + 1;
  const probes = health.probes + (probe ? 1 : 0);
  const pauses = isOpen({ ...health, failures }) && (probe || !isOpen(health));
  const wait = Math.max(pauses ? jittered(pauseMs(schedule, probes)) : 0, retryAfterMs);
  return {
    failures,
    failing_since: health.failing_since ?? at,
    last_failure: what,
    probes,
    quiet_until: Math.max(health.quiet_until, at + wait),
  };
}

/** The time of an event's next attempt after `tries` of them; null if it has no more. */
export function nextAttempt(schedule: readonly number[], tries: number, at: number): number | null {
  const wait = schedule[tries];
  return wait === undefined ? null : at + jittered(wait);
}

/** As long as the pauses between the attempts of an event, but never very long. */
function pauseMs(schedule: readonly number[], probes: number): number {
  const wait = schedule[Math.min(probes + 1, schedule.length - 1)] ?? 0;
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, wait));
}

/** Never less than it says. */
const jittered = (ms: number): number => Math.round(ms * (1 + JITTER * Math.random()));

/** Seconds or a date; 0 for anything else. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const wait = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? 0 : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, wait));
}
