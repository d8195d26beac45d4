/** What ends a watch, at once and for good: the end of the run, refusals, whoever closes it. And how it begins again. */
import { EventEmitter, once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ApiError, type ConnectionState, Reelwire } from '../../client/index.ts';
import { answer, held, problem, type Step, stream, told } from './faulty.ts';
import { failure, faulty, impatient, JOB, record, TRANSPORTS } from './watching.ts';

const COMPLETE = stream(told(100, 'complete'));

describe.each(TRANSPORTS)('over %s', (_, transport) => {
  /** An EventSource does not say why it was refused: the client asks once more. */
  const refusal = (step: Step): Step[] => (transport.EventSource ? [step, step] : [step]);

  test.each([
    [400, 'invalid_job_id'],
    [403, 'access_closed'],
    [404, 'job_not_found'],
    [410, 'gone'],
  ])('%d is final', async (status, code) => {
    const server = await faulty(...refusal(problem(status, code)), COMPLETE);
    const { client, waits } = impatient({ url: server.url, ...transport });
    const error = await failure(client.watch(JOB).done);
    expect(error).toMatchObject({ code: 'refused', status, cause: { status, code, requestId: 'r-1' } });
    expect((error as Error).cause).toBeInstanceOf(ApiError);
    expect(server.requests).toHaveLength(refusal(COMPLETE).length);
    expect(waits).toEqual([]);
  });

  test.each([408, 429, 500, 502, 503])('%d passes', async (status) => {
    const server = await faulty(...refusal(answer(status)), COMPLETE);
    const { client, waits } = impatient({ url: server.url, ...transport });
    expect((await client.watch(JOB).done).event).toBe('complete');
    expect(waits).toHaveLength(1);
  });

  test('204 says that nothing is left', async () => {
    const server = await faulty(...refusal(answer(204)), COMPLETE);
    const { client, waits } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB, { lastEventId: 7 });
    const rest: unknown[] = [];
    for await (const event of watch) rest.push(event);
    expect(await failure(watch.done)).toMatchObject({ code: 'ended' });
    expect([rest, waits, server.requests.length]).toEqual([[], [], refusal(COMPLETE).length]);
  });

  test.each(['complete', 'error', 'cancelled'] as const)('the event %s is the end, and no failure', async (name) => {
    const server = await faulty(stream(told(1), told(2, name), told(3)), COMPLETE);
    const { client, waits } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { events } = record(watch);
    const handled: unknown[] = [];
    watch.on(name, (data, event) => handled.push([data, event.id]));
    expect(await watch.done).toEqual({ event: name, id: 2, data: { n: 2 } });
    expect(handled).toEqual([[{ n: 2 }, 2]]);
    expect([events, waits, server.requests.length]).toEqual([['progress', name], [], 1]);
    expect(watch.state).toBe('closed');
  });

  test('a token that has run out is asked for once more, without waiting', async () => {
    const server = await faulty(...refusal(problem(401, 'unauthorized')), stream(told(1)), COMPLETE);
    const tokens = ['old', 'new', 'newer'];
    const { client, waits } = impatient({
      url: server.url,
      getToken: async () => tokens.shift() ?? null,
      ...transport,
    });
    await client.watch(JOB).done;
    expect(server.tokens).toEqual([...refusal(COMPLETE).map(() => 'old'), 'new', 'newer']);
    expect(waits).toHaveLength(1);
  });

  test('a second 401, or one without a token to ask for, is final', async () => {
    const denied = refusal(problem(401, 'unauthorized'));
    const server = await faulty(...denied, ...denied, COMPLETE);
    const { client, waits } = impatient({ url: server.url, getToken: () => 'old', ...transport });
    expect(await failure(client.watch(JOB).done)).toMatchObject({ code: 'refused', status: 401 });
    expect(server.requests).toHaveLength(2 * denied.length);

    const other = await faulty(...denied, COMPLETE);
    const { client: bare } = impatient({ url: other.url, ...transport });
    expect(await failure(bare.watch(JOB).done)).toMatchObject({ code: 'refused', status: 401 });
    expect(other.requests).toHaveLength(denied.length);
    expect(waits).toEqual([]);
  });

  test('close() ends the connection, and nothing is told any more', async () => {
    const { step, opened } = held();
    const server = await faulty(step, COMPLETE);
    const { client, waits } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { ids, until } = record(watch);
    watch.on('progress', () => watch.close());
    const connection = await opened;
    const gone = once(connection, 'close');
    connection.write(told(1) + told(2));
    await until(1);
    expect(watch.state).toBe('closed');
    expect(await failure(watch.done)).toMatchObject({ code: 'closed' });
    await gone;
    expect([ids, waits, server.requests.length]).toEqual([[1], [], 1]);
  });

  test('a handler of the end may close the watch: it has ended all the same', async () => {
    const server = await faulty(COMPLETE);
    const { client } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    watch.on('complete', () => watch.close());
    expect((await watch.done).event).toBe('complete');
  });

  test('a signal closes it, before it begins or later, and its reason is the cause', async () => {
    const { step, opened } = held();
    const server = await faulty(step, COMPLETE);
    const { client } = impatient({ url: server.url, ...transport });
    const early = client.watch(JOB, { signal: AbortSignal.abort('no need') });
    expect(await failure(early.done)).toMatchObject({ code: 'closed', cause: 'no need' });
    expect(server.requests).toHaveLength(0);

    const controller = new AbortController();
    const watch = client.watch(JOB, { signal: controller.signal });
    const gone = once(await opened, 'close');
    controller.abort('enough');
    expect(watch.state).toBe('closed');
    expect(await failure(watch.done)).toMatchObject({ code: 'closed', cause: 'enough' });
    await gone;
  });

  test('a wait is over when the watch is closed', async () => {
    const server = await faulty(stream(told(1)), COMPLETE);
    const waiting = new EventEmitter();
    const delay = (_ms: number, signal: AbortSignal): Promise<void> => {
      waiting.emit('begun');
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          waiting.emit('over');
          reject(signal.reason);
        });
      });
    };
    const begun = once(waiting, 'begun');
    const over = once(waiting, 'over');
    const watch = new Reelwire({ url: server.url, delay, ...transport }).watch(JOB);
    await begun;
    expect(watch.state).toBe('waiting');
    watch.close();
    await over;
    expect(await failure(watch.done)).toMatchObject({ code: 'closed' });
    expect(server.requests).toHaveLength(1);
  });

  test('retry() goes on where a watch gave up, was closed or has ended, with a new `done`', async () => {
    const server = await faulty(stream(told(1)));
    const { client } = impatient({ url: server.url, maxAttempts: 0, ...transport });
    const watch = client.watch(JOB);
    const { ids, states } = record(watch);
    const first = watch.done;
    expect(await failure(first)).toMatchObject({ code: 'gave_up' });

    server.add(stream(told(1), told(2, 'error')));
    watch.retry();
    expect(watch.done).not.toBe(first);
    expect((await watch.done).event).toBe('error');

    server.add(stream(told(2, 'status'), told(3), told(4, 'complete')));
    watch.retry();
    watch.close();
    watch.retry();
    expect((await watch.done).event).toBe('complete');
    expect(ids).toEqual([1, 2, 2, 3, 4]);
    expect(server.resumedFrom).toEqual([null, '1', '2']);
    expect(states.filter((state: ConnectionState) => state === 'closed')).toHaveLength(4);
  });
});

test('retry() leaves a watch alone that is at work', async () => {
  const { step, opened } = held();
  const server = await faulty(step, COMPLETE);
  const { client } = impatient({ url: server.url });
  const watch = client.watch(JOB);
  const { states } = record(watch);
  const connection = await opened;
  watch.retry();
  connection.end(told(1, 'complete'));
  await watch.done;
  expect([server.requests.length, states]).toEqual([1, ['connecting', 'open', 'closed']]);
});
