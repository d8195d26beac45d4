/** Following a stream through a server that breaks off, answers with an error, or goes away. The server is real. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { follow } from '../../cli/follow.ts';
import { Reelwire, type StreamEvent } from '../../client/index.ts';

let server: Server | null = null;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

/** Answers the n-th request with the n-th of `answers`, the last one from then on. */
async function serve(...answers: ((response: ServerResponse) => void)[]) {
  const asked: { query: string | null; header: string | undefined }[] = [];
  server = createServer((request: IncomingMessage, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams.get('last_event_id');
    const header = request.headers['last-event-id'];
    asked.push({ query, header: Array.isArray(header) ? header.join() : header });
    (answers[asked.length - 1] ?? answers.at(-1))?.(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, asked };
}

const head = (response: ServerResponse) =>
  response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('retry: 20\n\n');
const send = (response: ServerResponse, event: string, id: number | null, data: object) =>
  response.write(`${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

const whole = (response: ServerResponse) => {
  head(response);
  send(response, 'progress', 3, { progress: 100 });
  send(response, 'done', null, {});
  send(response, 'complete', 4, { status: 'completed' });
  response.end();
};
const breaksOff = (response: ServerResponse) => {
  head(response);
  send(response, 'status', 1, { progress: 5 });
  send(response, 'progress', 2, { progress: 50 });
  setImmediate(() => response.destroy());
};
const refuses = (status: number) => (response: ServerResponse) => response.writeHead(status).end();

async function collect(url: string, signal = new AbortController().signal) {
  const seen: StreamEvent[] = [];
  const said: string[] = [];
  const client = new Reelwire({ url, delay: async () => undefined, maxAttempts: 3 });
  const last = await follow(client, 'x', signal, {
    event: (event) => seen.push(event),
    note: (text) => said.push(text),
  });
  return { last, said, seen: seen.map(({ event, id }) => [event, id]) };
}

it('shows every event with its id and ends with the last', async () => {
  const { url } = await serve(whole);
  const { last, seen } = await collect(url);
  expect(seen).toEqual([
    ['progress', 3],
    ['complete', 4],
  ]);
  expect(last).toEqual({ event: 'complete', id: 4, data: { status: 'completed' } });
});

it('resumes after a broken connection, and after an answer that is no stream, and says so once', async () => {
  const { url, asked } = await serve(breaksOff, refuses(503), refuses(502), whole);
  const { seen, said } = await collect(url);
  expect(said).toEqual(['The connection is lost; connecting again ...', 'Connected again.']);
  expect(seen).toEqual([
    ['status', 1],
    ['progress', 2],
    ['progress', 3],
    ['complete', 4],
  ]);
  expect(asked).toEqual([
    { query: null, header: undefined },
    { query: null, header: '2' },
    { query: null, header: '2' },
    { query: null, header: '2' },
  ]);
});

it('takes an error that the server sends for the end of the job, not of the connection', async () => {
  const { url, asked } = await serve((response) => {
    head(response);
    send(response, 'error', 9, { status: 'failed' });
  });
  expect((await collect(url)).last).toEqual({ event: 'error', id: 9, data: { status: 'failed' } });
  expect(asked).toHaveLength(1);
});

it.each([
  ['stays away', refuses(503), { code: 'gave_up' }],
  ['keeps breaking off without a word', (response: ServerResponse) => response.destroy(), { code: 'gave_up' }],
  ['does not know the job any more', refuses(404), { code: 'refused', status: 404 }],
])('gives up on a server that %s', async (_, answer, error) => {
  const { url } = await serve(answer);
  await expect(collect(url)).rejects.toMatchObject(error);
});

it('ends with the reason of an abort', async () => {
  const { url } = await serve(head);
  const stop = new AbortController();
  const end = collect(url, stop.signal);
  stop.abort(new Error('enough'));
  await expect(end).rejects.toThrow('enough');
});
