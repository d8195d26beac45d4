/** Follows a job's stream with the `eventsource` package, as a Node service would. */
import { EventSource } from 'eventsource';
import { EVENTS } from './driven-job.ts';

export interface Told {
  id: string;
  event: string;
  data: { status?: string; stage?: string; progress?: number; details?: unknown };
}

const NAMES = ['status', ...EVENTS, 'done'];
const LAST = ['complete', 'error', 'cancelled'];

/** Resolves with everything that was told up to the end of the run, or up to an event that `isEnough` accepts. */
export function follow(url: string, isEnough: (told: Told) => boolean = () => false): Promise<Told[]> {
  return new Promise((resolve) => {
    const source = new EventSource(url);
    const all: Told[] = [];
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        if (!(event instanceof MessageEvent)) return;
        const told = { id: event.lastEventId, event: name, data: JSON.parse(event.data) };
        all.push(told);
        if (!LAST.includes(name) && !isEnough(told)) return;
        source.close();
        resolve(all);
      });
    }
  });
}
