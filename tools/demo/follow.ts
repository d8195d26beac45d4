/**
 * Follows a job's event stream to its end. EventSource reconnects by itself after a broken connection and sends
 * Last-Event-ID; after an answer that is not a stream (a proxy's 502 while the edge restarts) it stays closed, and a
 * new one is opened that resumes by query. Server events named `error` carry data; the library's own do not.
 */
import { EventSource } from 'eventsource';
import { Refusal } from '../main.ts';

export interface StreamEvent {
  event: string;
  /** `null` where the event had no id of its own. */
  id: number | null;
  data: Record<string, unknown>;
}

const EVENTS = [
  ...['status', 'state', 'stage', 'progress', 'rendition', 'playable', 'warning'],
  ...['complete', 'error', 'cancelled', 'done'],
];
const LAST = new Set(['complete', 'error', 'cancelled']);

/** In ms: how long the stream may be out of reach, and the pause before a closed one is opened anew. */
const LIMITS = { unreachable: 60_000, reopenAfter: 2000 };

/** Resolves with the event that ends the run. */
export function follow(
  stream: string,
  signal: AbortSignal,
  show: (event: StreamEvent) => void,
  limits = LIMITS,
): Promise<StreamEvent> {
  const { promise, resolve, reject } = Promise.withResolvers<StreamEvent>();
  const timers: { giveUp?: NodeJS.Timeout; reopen?: NodeJS.Timeout } = {};
  let lastId: number | null = null;
  let source = open();

  function open(): EventSource {
    const address = new URL(stream);
    if (lastId !== null) address.searchParams.set('last_event_id', String(lastId));
    const opened = new EventSource(address);
    opened.addEventListener('open', () => {
      clearTimeout(timers.giveUp);
      delete timers.giveUp;
    });
    for (const name of EVENTS) {
      opened.addEventListener(name, (event: Event) => {
        if (event instanceof MessageEvent) take(event);
        else lost('code' in event && typeof event.code === 'number' ? event.code : null);
      });
    }
    return opened;
  }

  function take(message: MessageEvent): void {
    // The library repeats the last id for an event without one; of ours only `done` has none.
    const id = message.type === 'done' || message.lastEventId === '' ? null : Number(message.lastEventId);
    const event: StreamEvent = { event: message.type, id, data: JSON.parse(String(message.data)) };
    if (id !== null) lastId = id;
    show(event);
    if (LAST.has(message.type)) resolve(event);
  }

  function lost(status: number | null): void {
    if (status === 204 || status === 404) {
      reject(new Refusal(`The job is not there any more (HTTP ${status}).`));
      return;
    }
    timers.giveUp ??= setTimeout(() => {
      reject(new Refusal(`The event stream has been out of reach for ${limits.unreachable / 1000} s: ${stream}`));
    }, limits.unreachable);
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(timers.reopen);
    timers.reopen = setTimeout(() => {
      source = open();
    }, limits.reopenAfter);
  }

  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();

  return promise.finally(() => {
    signal.removeEventListener('abort', abort);
    clearTimeout(timers.giveUp);
    clearTimeout(timers.reopen);
    source.close();
  });
}
