/** Server-sent events as text (WHATWG HTML, section 9.2): one JSON line of data, so no field can be injected. */
import { type Entry, isVisible } from '../../contract/entries.ts';
import type { Job } from '../../contract/job.ts';

/** How long a client waits before it reconnects, in ms; the first bytes of every stream. */
export const RETRY = 'retry: 2000\n\n';

/** A comment, so that proxies see traffic and dead watchers are noticed. */
export const HEARTBEAT = ': heartbeat\n\n';

/** Older clients wait for `done`; it has no id, since it is not an entry. */
const DONE = 'event: done\ndata: {}\n\n';

export function entryText(entry: Entry): string {
  if (!isVisible(entry)) return '';
  const text = eventText(entry.type, entry.data, entry.seq);
  return entry.type === 'complete' ? DONE + text : text;
}

/** The first event of a fresh connection. `id` is where a reconnect goes on from. */
export function statusText(job: Job, id: number, now: number): string {
  const timestamp = new Date(now).toISOString();
  return eventText('status', { ...job, job_id: job.id, message: 'Connected to progress stream', timestamp }, id);
}

function eventText(event: string, data: unknown, id: number): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
