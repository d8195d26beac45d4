/** Reconnecting: how long it waits, what it counts, where it goes on, and that each event is told once. */
import { describe, expect, test } from 'vitest';
import { WatchError } from '../../client/index.ts';
import { answer, cutAt, held, problem, type Step, stream, told } from './faulty.ts';
import { failure, faulty, impatient, JOB, record, TRANSPORTS } from './watching.ts';

const dropped: Step = (response) => response.destroy();
const times = (n: number, step: Step): Step[] => Array.from({ length: n }, () => step);
const COMPLETED = told(100, 'complete');
const COMPLETE = stream(COMPLETED);

/** Each wait is the step, or up to half of it more. */
function expectSteps(waits: readonly number[], seconds: readonly number[]): void {
  expect(waits).toHaveLength(seconds.length);
  for (const [i, step] of seconds.entries()) {
    expect(waits[i]).toBeGreaterThanOrEqual(step * 1000);
    expect(waits[i]).toBeLessThanOrEqual(step * 1500);
  }
}

describe.each(TRANSPORTS)('over %s', (_, transport) => {
  test('a lost stream goes on after the last event, and what comes again is not told again', async () => {
    const first = held();
    const server = await faulty(first.step, stream(told(1), told(2), told(3), told(4, 'complete')));
    const { client, waits } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { ids, events, states, until } = record(watch);
    const connection = await first.opened;
    connection.write(told(1) + told(2));
    await until(2);
    connection.destroy();
    expect(await watch.done).toEqual({ event: 'complete', id: 4, data: { n: 4 } });
    expect(ids).toEqual([1, 2, 3, 4]);
    expect(events).toEqual(['progress', 'progress', 'progress', 'complete']);
    expect(server.resumedFrom).toEqual([null, '2']);
    expect(server.requests.every(({ url }) => url?.startsWith(`/jobs/${JOB}/stream`))).toBe(true);
    expectSteps(waits, [1]);
    expect(states).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open', 'closed']);
  });

  test('five attempts, each after twice the time, then it gives up; no handler of `error` is called', async () => {
    const server = await faulty(...times(7, dropped));
    const { client, waits } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { events } = record(watch);
    const error = await failure(watch.done);
    expect(error).toBeInstanceOf(WatchError);
    expect(error).toMatchObject({ code: 'gave_up', status: null });
    expect(server.requests).toHaveLength(6);
    expectSteps(waits, [1, 2, 4, 8, 16]);
    expect(events).toEqual([]);
    expect(watch.state).toBe('closed');
  });

  test('an event resets the count', async () => {
    const server = await faulty(...times(5, dropped), stream(told(1)), ...times(5 - 1, dropped), COMPLETE);
    const { client, waits } = impatient({ url: server.url, ...transport });
    expect((await client.watch(JOB).done).id).toBe(100);
    expectSteps(waits, [1, 2, 4, 8, 16, 1, 2, 4, 8, 16]);
  });

  test('without an event the count goes on, whatever opens and closes', async () => {
    const server = await faulty(...times(5, dropped), stream('retry: 1\n\n'), COMPLETE);
    const { client } = impatient({ url: server.url, ...transport });
    expect(await failure(client.watch(JOB).done)).toMatchObject({ code: 'gave_up' });
  });

  test('attempts can be few, none, or without end', async () => {
    const server = await faulty(...times(3, dropped));
    const { client, waits } = impatient({ url: server.url, maxAttempts: 2, ...transport });
    expect(await failure(client.watch(JOB).done)).toMatchObject({ code: 'gave_up' });
    expectSteps(waits.splice(0), [1, 2]);
    server.add(dropped);
    expect(await failure(client.watch(JOB, { maxAttempts: 0 }).done)).toMatchObject({ code: 'gave_up' });
    expect(waits).toEqual([]);
    server.add(...times(8, dropped), COMPLETE);
    await client.watch(JOB, { maxAttempts: Number.POSITIVE_INFINITY }).done;
    expectSteps(waits, [1, 2, 4, 8, 16, 16, 16, 16]);
  });

  test('a server that is not there is tried like one that fails', async () => {
    const gone = await faulty();
    await gone.close();
    const { client, waits } = impatient({ url: gone.url, maxAttempts: 1, ...transport });
    expect(await failure(client.watch(JOB).done)).toMatchObject({ code: 'gave_up' });
    expect(waits).toHaveLength(1);
  });

  test('a watch begins where it is told to', async () => {
    const server = await faulty(stream(told(7), told(8), told(9, 'complete')));
    const { client } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB, { lastEventId: '7' });
    const { ids } = record(watch);
    await watch.done;
    expect([ids, server.resumedFrom, watch.lastEventId]).toEqual([[8, 9], ['7'], 9]);
  });

  test('the status of a fresh stream is told whatever its id, and what follows it too', async () => {
    const server = await faulty(stream(told(5, 'status'), told(6), told(7, 'complete')));
    const { client } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB, { lastEventId: 9 });
    const { ids } = record(watch);
    await watch.done;
    expect(ids).toEqual([5, 6, 7]);
  });

  test('what the server does for older clients, or will do for newer ones, is not told', async () => {
    const server = await faulty(stream(told(1), told(2, 'novelty'), 'event: done\ndata: {}\n\n', told(3, 'complete')));
    const { client } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { events } = record(watch);
    await watch.done;
    expect(events).toEqual(['progress', 'complete']);
  });

  test('an event that cannot be read is asked for again', async () => {
    const server = await faulty(
      stream(told(1), 'id: 2\nevent: progress\ndata: {"n"\n\n', told(3)),
      stream(told(2), told(3), COMPLETED),
    );
    const { client } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { ids } = record(watch);
    await watch.done;
    expect(ids).toEqual([1, 2, 3, 100]);
    expect(server.resumedFrom).toEqual([null, '1']);
  });
});

test('whatever byte a stream is cut at, each event is told once and in order', async () => {
  const log = ['progress', 'warning', 'complete'].map((event, i) =>
    told(i + 1, event, { text: 'é😀' }).replaceAll('\n', i === 1 ? '\n' : '\r\n'),
  );
  const length = Buffer.from(log.join('')).length;
  const server = await faulty();
  const { client } = impatient({ url: server.url });
  for (let byte = 0; byte < length; byte += 1) {
    server.add(cutAt(log, byte), cutAt(log, length));
    const watch = client.watch(JOB);
    const { ids } = record(watch);
    expect((await watch.done).data).toEqual({ text: 'é😀' });
    expect({ byte, ids }).toEqual({ byte, ids: [1, 2, 3] });
  }
});

test('the server may ask for more time: retry in the stream, Retry-After in seconds or as a date', async () => {
  const anHour = new Date(Date.now() + 3_600_000).toUTCString();
  const server = await faulty(
    stream('retry: 5000\n\n', told(1)),
    dropped,
    answer(503, { 'Retry-After': '7' }),
    problem(429, 'too_many', { 'Retry-After': anHour }),
    problem(408, 'too_slow', { 'Retry-After': 'soon' }),
    COMPLETE,
  );
  const { client, waits } = impatient({ url: server.url });
  await client.watch(JOB).done;
  const [retry = 0, again = 0, seconds = 0, date = 0, neither = 0] = waits;
  expect(waits).toHaveLength(5);
  expect(retry).toBeGreaterThanOrEqual(5000);
  expect(retry).toBeLessThanOrEqual(5500);
  expect(again).toBeGreaterThanOrEqual(5000);
  expect(seconds).toBeGreaterThanOrEqual(7000);
  expect(seconds).toBeLessThanOrEqual(9000);
  expect(date).toBeGreaterThan(3_500_000);
  expect(neither).toBeGreaterThanOrEqual(16_000);
  expect(neither).toBeLessThanOrEqual(24_000);
});

test('a heartbeat resets the count like an event: a quiet job may lose its stream often', async () => {
  const server = await faulty(...times(5, dropped), stream(': heartbeat\n\n'), ...times(4, dropped), COMPLETE);
  const { client, waits } = impatient({ url: server.url });
  await client.watch(JOB).done;
  expectSteps(waits, [1, 2, 4, 8, 16, 1, 2, 4, 8, 16]);
});

test('a page instead of a stream is tried again, and named when it stays', async () => {
  const page = answer(200, { 'Content-Type': 'text/html' }, '<h1>Log in</h1>');
  const server = await faulty(page, COMPLETE, page);
  const { client } = impatient({ url: server.url });
  await client.watch(JOB).done;
  const error = await failure(client.watch(JOB, { maxAttempts: 0 }).done);
  expect(String(error)).toContain('text/html');
});

test('a fetch that cannot stream is named', async () => {
  const fetch = async () => new Response(null, { headers: { 'Content-Type': 'text/event-stream' } });
  const { client } = impatient({ url: 'http://localhost', fetch, maxAttempts: 0 });
  expect(String(await failure(client.watch(JOB).done))).toContain('give the client an EventSource');
});

test('an outage of whoever gives tokens is an attempt like others', async () => {
  const server = await faulty(COMPLETE);
  const answers = [Promise.reject(new Error('no tokens today')), Promise.resolve('t')];
  const { client, waits } = impatient({ url: server.url, getToken: () => answers.shift() ?? null });
  await client.watch(JOB).done;
  expect(server.tokens).toEqual(['t']);
  expectSteps(waits, [1]);
});
