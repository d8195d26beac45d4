/**
 * An EventSource of any make, left to itself: it is never closed from here. After the end of the job it reconnects once
 * more, is answered 204, and gives up: that is the end.
 */
export interface Heard {
  readonly id: number;
  readonly event: string;
  readonly data: unknown;
}

const CLOSED = 2;

interface Source {
  readonly readyState: number;
  addEventListener(name: string, listener: (event: Event) => void): void;
}

/** Resolves with all that was heard. `events`: the names to listen to. */
export function listen(source: Source, events: readonly string[]): Promise<Heard[]> {
  const heard: Heard[] = [];
  return new Promise((resolve) => {
    for (const name of new Set([...events, 'error'])) {
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent) {
          heard.push({ id: Number(event.lastEventId), event: name, data: JSON.parse(event.data) });
        } else if (source.readyState === CLOSED) {
          resolve(heard);
        }
      });
    }
  });
}
