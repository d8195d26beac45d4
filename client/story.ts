/**
 * What a run has been told, and where it goes on from: one job's stream by the number of its last event. What the
 * server has sent once is not told again: an id at or below the last one is dropped. `status` always counts, for it
 * says where a fresh stream stands.
 */
import { type EndEvent, isEnd, isEventName, type StreamEvent } from './events.ts';
import { eventId } from './options.ts';

/** `ignored`: known before, or not to be understood. `ended`: nothing more is to come. */
export type Taken = 'ignored' | 'taken' | 'ended';

export interface Story {
  /** Where a connection resumes; null for a fresh stream. */
  readonly resumesAt: string | null;
  take(name: string, data: string, id: string): Taken;
}

export class JobStory implements Story {
  readonly #tell: (event: StreamEvent) => void;
  #lastEventId: number | null;
  #end: EndEvent | null = null;

  constructor(lastEventId: number | null, tell: (event: StreamEvent) => void) {
    this.#lastEventId = lastEventId;
    this.#tell = tell;
  }

  get lastEventId(): number | null {
    return this.#lastEventId;
  }

  get resumesAt(): string | null {
    return this.#lastEventId === null ? null : String(this.#lastEventId);
  }

  /** The event that ended the run; null as long as none has come. */
  get end(): EndEvent | null {
    return this.#end;
  }

  /** Of an event that this client does not know only the id counts. */
  take(name: string, data: string, givenId: string): Taken {
    const id = eventId(givenId);
    if (id === null || (name !== 'status' && id <= (this.#lastEventId ?? -1))) return 'ignored';
    const event = isEventName(name) ? ({ event: name, id, data: JSON.parse(data) } as StreamEvent) : null;
    this.#lastEventId = id;
    if (!event) return 'taken';
    if (isEnd(event)) this.#end = event;
    this.#tell(event);
    return this.#end ? 'ended' : 'taken';
  }
}
