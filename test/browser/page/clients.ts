/**
 * A page with an EventSource that is left to itself, and with the clients of docs/snippets: it starts one of them and
 * notes everything that it is told.
 */
import { completeOrError } from '../../../docs/snippets/complete-or-error.ts';
import { JobEvents } from '../../../docs/snippets/job-events.ts';
import { oneHandler } from '../../../docs/snippets/one-handler.ts';
import { untilDone } from '../../../docs/snippets/until-done.ts';
import { upload } from '../../../docs/snippets/upload.ts';
import { type Heard, listen } from './listen.ts';

const NAMES = ['status', 'state', 'stage', 'progress', 'rendition', 'playable', 'warning', 'complete', 'error'];

export type Client = 'untilDone' | 'completeOrError' | 'jobEvents' | 'oneHandler';

/** Something a client was told: through which callback or handler, what, and under which id where it says so. */
export interface Noted {
  readonly by: string;
  readonly data: Record<string, unknown>;
  readonly id: number | null;
}

export interface Clients {
  /** Follows a stream with the browser's own EventSource; resolves when it has given up for good. */
  follow(stream: string, events: readonly string[]): Promise<Heard[]>;
  readonly noted: Noted[];
  start(client: Client, edge: string, job: string): void;
  /** Starts the class, with a first delay of `delayMs`, and closes it when it first wants to reconnect. */
  closeWhenLost(edge: string, job: string, delayMs: number): void;
  upload(edge: string, name: string, text: string): Promise<string>;
}

declare global {
  interface Window {
    clients: Clients;
  }
}

const DELAY_MS = 20;
const noted: Noted[] = [];
const note =
  (by: string) =>
  (data: object = {}, id: number | null = null): void =>
    void noted.push({ by, data: { ...data }, id });

const CLIENTS: Record<Client, (edge: string, job: string) => void> = {
  untilDone: (edge, job) =>
    untilDone(edge, job, {
      onProgress: note('progress'),
      onDone: () => note('done')(),
      onError: () => note('error')(),
    }),
  completeOrError: (edge, job) =>
    completeOrError(edge, job, {
      onProgress: note('progress'),
      onComplete: note('complete'),
      onFailure: note('failure'),
      onRefused: () => note('refused')(),
    }),
  jobEvents: (edge, job) => {
    const events = new JobEvents(edge, job, DELAY_MS);
    for (const name of [...NAMES, 'cancelled', 'reconnecting', 'lost']) events.on(name, note(name));
  },
  oneHandler: (edge, job) => oneHandler(edge, job, (message) => note(message.type)(message)),
};

window.clients = {
  follow: (stream, events) => listen(new EventSource(stream), events),
  noted,
  start: (client, edge, job) => CLIENTS[client](edge, job),
  closeWhenLost(edge, job, delayMs) {
    const events = new JobEvents(edge, job, delayMs);
    events.on('reconnecting', () => {
      events.close();
      note('closed')();
    });
  },
  upload: (edge, name, text) => upload(edge, new File([text], name)),
};
