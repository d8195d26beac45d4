/**
 * A stream over an EventSource that the caller has given. It can send no headers, so token and last event id travel in
 * the address. Its own way to reconnect is not used. It calls the server's event `error` and a lost connection by the
 * same name; only the first is a message with data. It does not say why the server refused it, so that is asked once
 * more with `fetch`; and it hides the server's heartbeats and `retry`, so silence goes unnoticed here.
 */
import { MANY_NAMES } from './many-story.ts';
import { ask, type Fetch } from './over-fetch.ts';
import { type Connection, isEventStream, lost, type Outcome, outcomeOf, type Transport } from './transport.ts';

/** What is used of an EventSource. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: { readonly type: string }) => void): void;
  close(): void;
}

export type EventSourceClass = new (url: string) => EventSourceLike;

/** `readyState` of one that was refused; one that has lost its connection says CONNECTING. */
const CLOSED = 2;

export const overEventSource =
  (EventSource: EventSourceClass, fetch: Fetch): Transport =>
  (connection) =>
    new Promise((resolve) => {
      const source = new EventSource(address(connection));
      const settle = (outcome: Outcome | Promise<Outcome>) => {
        source.close();
        connection.signal.removeEventListener('abort', abort);
        resolve(outcome);
      };
      const abort = () => settle(lost(connection.signal.reason));
      const hear = (event: { readonly type: string }) => {
        if (!isMessage(event)) {
          settle(source.readyState === CLOSED ? whyRefused(fetch, connection) : lost(failureOf(event)));
          return;
        }
        try {
          connection.onEvent(event.type, event.data, event.lastEventId);
        } catch (error) {
          settle(lost(error));
        }
      };
      source.addEventListener('open', () => connection.onOpen());
      for (const name of MANY_NAMES) source.addEventListener(name, hear);
      connection.signal.addEventListener('abort', abort);
    });

function address({ url, lastEventId, token }: Connection): string {
  const to = new URL(url);
  if (lastEventId !== null) to.searchParams.set('last_event_id', lastEventId);
  if (token !== null) to.searchParams.set('token', token);
  return to.href;
}

interface Message {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

const isMessage = (event: object): event is Message => 'data' in event && typeof event.data === 'string';

function failureOf(event: object): Error {
  const said = 'message' in event && typeof event.message === 'string' ? event.message : '';
  return new Error(said || 'The connection was lost');
}

/** The same request once more, for the sake of its status; should it be served now, another attempt will be too. */
async function whyRefused(fetch: Fetch, connection: Connection): Promise<Outcome> {
  try {
    const response = await ask(fetch, connection, connection.signal);
    if (!isEventStream(response)) return await outcomeOf(response);
    await response.body?.cancel();
    return lost(new Error('The connection was refused'));
  } catch (error) {
    return lost(error);
  }
}
