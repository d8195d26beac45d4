/** Watches one job to its end, with its events on the display. */
import type { Reelwire } from '../client/index.ts';
import type { Display } from './display/display.ts';
import { follow } from './follow.ts';
import type { Outcome } from './summary.ts';

export interface Watched {
  jobId: string;
  /** What people call it. */
  name: string;
}

/** `since`: when it all began, as `performance.now()` says it. */
export async function watchToEnd(
  client: Reelwire,
  { jobId, name }: Watched,
  display: Display,
  signal: AbortSignal,
  since = performance.now(),
): Promise<Outcome> {
  const end = await follow(client, jobId, signal, {
    event: (event) => display.event(name, event),
    note: (text) => display.note(text),
  });
  const seconds = Math.round((performance.now() - since) / 100) / 10;
  const job = await client.jobs.get(jobId).catch(() => null);
  return { jobId, name, end, job, seconds };
}
