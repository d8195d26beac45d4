/**
 * A stream over `fetch`: the token and the last event id travel in headers, and every answer is understood. The server
 * is never silent for long (a comment every 15 s), so silence means that the connection is gone, whatever TCP says.
 */
import { EventStreamParser } from './parser.ts';
import { Silence } from './silence.ts';
import { type Connection, isEventStream, lost, outcomeOf, type Transport } from './transport.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Three heartbeats that did not come. */
const SILENCE_MS = 45_000;

export const overFetch =
  (fetch: Fetch): Transport =>
  async (connection) => {
    const silence = new Silence(connection.signal, SILENCE_MS);
    try {
      const response = await ask(fetch, connection, silence.signal);
      if (!isEventStream(response)) return await outcomeOf(response);
      connection.onOpen();
      const parser = new EventStreamParser(connection);
      for await (const bytes of chunks(response)) {
        silence.begin();
        parser.push(bytes);
      }
      return lost(new Error('The stream ended before the run did'));
    } catch (error) {
      return lost(silence.signal.aborted ? silence.signal.reason : error);
    } finally {
      silence.end();
    }
  };

export function ask(fetch: Fetch, connection: Connection, signal: AbortSignal): Promise<Response> {
  const { url, token, lastEventId } = connection;
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (lastEventId !== null) headers['Last-Event-ID'] = lastEventId;
  return fetch(url, { headers, cache: 'no-store', signal });
}

/** Not every browser can iterate over a body. */
async function* chunks({ body }: Response): AsyncGenerator<Uint8Array> {
  if (!body) throw new Error('This fetch cannot read a body as it comes: give the client an EventSource');
  const reader = body.getReader();
  for (;;) {
    const { value } = await reader.read();
    if (!value) return;
    yield value;
  }
}
