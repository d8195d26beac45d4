/** What the tests of the stream share: to open it, to read it, and the log it must agree with. */
import { call } from './edge.ts';
import { EventReader, type StreamEvent } from './events.ts';

export const open = (id: string, lastEventId?: string, query = ''): Promise<Response> =>
  call(`/jobs/${id}/stream${query}`, lastEventId === undefined ? {} : { headers: { 'Last-Event-ID': lastEventId } });

export async function eventsOf(answer: Response): Promise<StreamEvent[]> {
  return new EventReader(answer).rest();
}

export const ids = (events: StreamEvent[]): (number | null)[] => events.map(({ id }) => id);
export const names = (events: StreamEvent[]): string[] => events.map(({ event }) => event);

/** The visible log, as `/events` gives it. */
export async function log(id: string): Promise<{ seq: number; type: string; data: unknown }[]> {
  const { events } = await (await call(`/jobs/${id}/events?limit=1000`)).json<{
    events: { seq: number; type: string; data: unknown }[];
  }>();
  return events;
}

/** The log as one who is behind may get it at the least: no `progress` that a newer one of its stage and attempt replaces. */
export async function needed(id: string): Promise<number[]> {
  let newer: unknown = null;
  const kept: number[] = [];
  for (const { seq, type, data } of (await log(id)).toReversed()) {
    const { stage } = data as { stage: string };
    if (type === 'state') newer = null;
    if (type !== 'progress' || stage !== newer) kept.unshift(seq);
    if (type === 'progress') newer = stage;
  }
  return kept;
}
