/** The events of a job's stream. The end of a run, `error` too, is an event like the others: no failure of the client. */
import type { Job, VisibleEntry } from './types.ts';

/** What `data` of each event holds. `status` opens a stream that does not resume: the whole job. */
export type EventData = { status: StatusData } & {
  [T in VisibleEntry['type']]: Extract<VisibleEntry, { type: T }>['data'];
};

/** The job as `GET /jobs/:id` shows it, in the form of an event. */
export interface StatusData extends Job {
  job_id: string;
  message: string;
  /** ISO 8601, UTC. */
  timestamp: string;
}

/** What a stream of several jobs says of one that it does not carry: the code and the words of its own address. */
export interface Unavailable {
  job_id: string;
  code: string;
  message: string;
  /** ISO 8601, UTC. */
  timestamp: string;
}

export type EventName = keyof EventData;

/** One event. `id` is its number in the job's log: where a later watch can resume. */
export type StreamEvent<E extends EventName = EventName> = {
  [N in E]: { event: N; id: number; data: EventData[N] };
}[E];

/** The event that ended a run. */
export type EndEvent = StreamEvent<'complete' | 'error' | 'cancelled'>;

const ENDS: Record<EventName, boolean> = {
  status: false,
  state: false,
  stage: false,
  progress: false,
  rendition: false,
  playable: false,
  warning: false,
  complete: true,
  error: true,
  cancelled: true,
};

/** Others that a server may send are not passed on. */
export const EVENT_NAMES = Object.keys(ENDS) as EventName[];

export const isEventName = (name: string): name is EventName => Object.hasOwn(ENDS, name);

export const isEnd = (event: StreamEvent): event is EndEvent => ENDS[event.event];
