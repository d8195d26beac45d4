/** What the tests of a watch share: clients that wait for nothing but say how long they would have, and what was told. */
import { EventSource } from 'eventsource';
import { onTestFinished } from 'vitest';
import { EVENT_NAMES } from '../../client/events.ts';
import {
  type ConnectionState,
  Reelwire,
  type ReelwireOptions,
  type StreamEvent,
  type Watch,
} from '../../client/index.ts';
import { Faulty, type Step } from './faulty.ts';

/** The two ways to carry a stream. */
export const TRANSPORTS: [string, Pick<ReelwireOptions, 'EventSource'>][] = [
  ['fetch', {}],
  ['a given EventSource', { EventSource }],
];

export const JOB = '00000000-0000-4000-8000-000000000000';

/** A server that closes with the test. */
export async function faulty(...steps: Step[]): Promise<Faulty> {
  const server = await Faulty.start(...steps);
  onTestFinished(() => server.close());
  return server;
}

/** A client that does not wait; `waits` is how long it would have, in ms. */
export function impatient(options: ReelwireOptions): { client: Reelwire; waits: number[] } {
  const waits: number[] = [];
  const delay = async (ms: number): Promise<void> => {
    waits.push(ms);
  };
  return { client: new Reelwire({ delay, ...options }), waits };
}

/** Everything that a watch tells, from now on. */
export interface Record {
  readonly ids: number[];
  readonly events: string[];
  readonly states: ConnectionState[];
  /** Resolves when this event has been told. */
  until(id: number): Promise<void>;
  /** Resolves when the connection is in this state. */
  untilState(state: ConnectionState): Promise<void>;
}

export function record(watch: Watch): Record {
  const ids: number[] = [];
  const events: string[] = [];
  const states: ConnectionState[] = [watch.state];
  const waiting = new Set<() => void>();
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const note = () => {
    for (const look of waiting) look();
  };
  for (const name of EVENT_NAMES) {
    watch.on(name, (_, { id, event }: StreamEvent) => {
      ids.push(id);
      events.push(event);
      note();
    });
  }
  watch.on('connection', (state) => {
    states.push(state);
    note();
  });
  return {
    ids,
    events,
    states,
    until: (id) => until(() => ids.includes(id)),
    untilState: (state) => until(() => states.includes(state)),
  };
}

/** The error a promise rejects with. */
export const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => new Error(`It succeeded: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
