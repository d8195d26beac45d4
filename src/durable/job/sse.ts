/** Server-sent events as text (WHATWG HTML, section 9.2): one JSON line of data, so no field can be injected. */
import type { Job } from '../../contract/job.ts';

/** How long a client waits before it reconnects, in ms; the first bytes of every stream. */
export const RETRY = 'retry: 2000\n\n';

/** A comment, so that proxies see traffic and dead watchers are noticed. */
export const HEARTBEAT = ': heartbeat\n\n';

/** Older clients wait for `done`; it has no id, since it is not an entry. */
const DONE = 'event: done\ndata: {}\n\n';

/** A visible entry; `data` is its JSON. */
export function entryText({ seq, type, data }: { seq: number; type: string; data: string }): string {
  const text = eventText(type, data, seq);
  return type === 'complete' ? DONE + text : text;
}

/** The first event of a fresh connection. `id` is where a reconnect goes on from. */
export function statusText(job: Job, id: number, now: number): string {
  const timestamp = new Date(now).toISOString();
  const data = { ...job, job_id: job.id, message: 'Connected to progress stream', timestamp };
  return eventText('status', JSON.stringify(data), id);
}

const eventText = (event: string, json: string, id: number): string => `id: ${id}\nevent: ${event}\ndata: ${json}\n\n`;
