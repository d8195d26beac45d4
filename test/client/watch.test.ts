/** What a program holds in its hands: handlers, iterators, and a process that ends when it should. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import type { StreamEvent, Watch } from '../../client/index.ts';
import { held, problem, stream, told } from './faulty.ts';
import { failure, faulty, impatient, JOB, record } from './watching.ts';

const THREE = stream(told(1), told(2, 'warning'), told(3, 'complete'));

afterEach(() => {
  vi.unstubAllGlobals();
});

test('a handler hears its event only, with data and event, until it is taken away', async () => {
  const server = await faulty(stream(told(1), told(2), told(3, 'complete')));
  const { client } = impatient({ url: server.url });
  const watch = client.watch(JOB);
  const heard: unknown[] = [];
  const off = watch.on('progress', (data, event) => {
    heard.push([data, event]);
    off();
  });
  watch.on('warning', () => heard.push('warning'));
  await watch.done;
  expect(heard).toEqual([[{ n: 1 }, { event: 'progress', id: 1, data: { n: 1 } }]]);
});

test('the same handler twice is two handlers', async () => {
  const server = await faulty(THREE);
  const { client } = impatient({ url: server.url });
  const watch = client.watch(JOB);
  const heard: number[] = [];
  const handler = (_: unknown, { id }: StreamEvent) => heard.push(id);
  watch.on('warning', handler);
  watch.on('warning', handler)();
  watch.on('warning', handler);
  await watch.done;
  expect(heard).toEqual([2, 2]);
});

test('a handler that throws is reported and disturbs nobody', async () => {
  const reported: unknown[] = [];
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
  const server = await faulty(THREE);
  const { client, waits } = impatient({ url: server.url });
  const watch = client.watch(JOB);
  const mistake = new Error('a mistake in a handler');
  const fail = () => {
    throw mistake;
  };
  watch.on('progress', fail);
  watch.on('connection', fail);
  const { ids } = record(watch);
  await watch.done;
  expect([ids, waits]).toEqual([[1, 2, 3], []]);
  expect(reported).toEqual([mistake, mistake, mistake]);
});

test('an event that does not exist cannot be listened to', async () => {
  const { client } = impatient({ url: 'http://127.0.0.1:9' });
  const watch = client.watch(JOB);
  watch.close();
  expect(() => watch.on('progres' as 'progress', () => undefined)).toThrow(/no event progres; known: .*progress/);
});

const ids = async (events: AsyncIterable<StreamEvent>): Promise<number[]> => {
  const all: number[] = [];
  for await (const { id } of events) all.push(id);
  return all;
};

async function opened(): Promise<{ watch: Watch; write(text: string): void; until(id: number): Promise<void> }> {
  const { step, opened } = held();
  const server = await faulty(step);
  const watch = impatient({ url: server.url, maxAttempts: 0 }).client.watch(JOB);
  const { until } = record(watch);
  const connection = await opened;
  return { watch, until, write: (text) => connection.write(text) };
}

test('iterators each get everything from when they began to the end of the run', async () => {
  const { watch, write, until } = await opened();
  const early = ids(watch);
  write(told(1));
  await until(1);
  const late = [ids(watch), ids(watch)];
  write(told(2) + told(3, 'complete'));
  expect(await early).toEqual([1, 2, 3]);
  expect(await Promise.all(late)).toEqual([
    [2, 3],
    [2, 3],
  ]);
  expect(await ids(watch)).toEqual([]);
});

test('an iterator keeps what comes while its reader is busy', async () => {
  const { watch, write, until } = await opened();
  const iterator = watch[Symbol.asyncIterator]();
  write(told(1) + told(2));
  await until(2);
  expect((await iterator.next()).value).toMatchObject({ event: 'progress', id: 1, data: { n: 1 } });
  write(told(3, 'complete'));
  await watch.done;
  expect(await ids(iterator)).toEqual([2, 3]);
});

test('an iterator that is left keeps nothing, and the watch goes on for the others', async () => {
  const { watch, write } = await opened();
  const all = ids(watch);
  const left = watch[Symbol.asyncIterator]();
  write(told(1));
  for await (const { id } of { [Symbol.asyncIterator]: () => left }) {
    expect(id).toBe(1);
    break;
  }
  write(told(2) + told(3, 'complete'));
  expect(await all).toEqual([1, 2, 3]);
  expect(await left.next()).toEqual({ done: true, value: undefined });
});

test('close() ends iterators in peace; a watch that gives up throws, after what it had told', async () => {
  const first = await opened();
  const closed = ids(first.watch);
  first.write(told(1));
  await first.until(1);
  first.watch.close();
  expect(await closed).toEqual([1]);

  const server = await faulty(stream(told(1)));
  const watch = impatient({ url: server.url, maxAttempts: 0 }).client.watch(JOB);
  const iterator = watch[Symbol.asyncIterator]();
  await failure(watch.done);
  expect((await iterator.next()).value).toMatchObject({ id: 1 });
  expect(await failure(iterator.next())).toMatchObject({ code: 'gave_up' });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

const CLIENT = join(import.meta.dirname, '../../client/index.ts');

/** Runs a program in a Node of its own until it ends by itself. */
async function program(url: string, body: string): Promise<{ stdout: string; stderr: string }> {
  const source = `import { Reelwire } from ${JSON.stringify(CLIENT)};
    const watch = new Reelwire({ url: ${JSON.stringify(url)} }).watch('${JOB}');
    ${body}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source], { timeout: 20_000 });
}

test('who does not wait for `done` is not brought down by it, and the process ends with the watch', async () => {
  const server = await faulty(problem(404, 'job_not_found'));
  const { stdout } = await program(server.url, `watch.on('connection', (state) => console.log(state));`);
  expect(stdout.split('\n')).toEqual(['closed', '']);
});

test('after close() nothing keeps the process, not even a server that holds on', async () => {
  const server = await faulty(held().step);
  const body = `watch.on('connection', (state) => state === 'open' ? watch.close() : console.log(state));`;
  expect((await program(server.url, body)).stdout.split('\n')).toEqual(['closed', '']);
});

test('in Node, a handler that throws is an uncaught exception of its own, and the stream goes on', async () => {
  const server = await faulty(THREE);
  const body = `process.on('uncaughtException', ({ message }) => console.log('uncaught: ' + message));
    watch.on('progress', () => { throw new Error('mine'); });
    console.log((await watch.done).event);`;
  expect((await program(server.url, body)).stdout.split('\n').sort()).toEqual(['', 'complete', 'uncaught: mine']);
});
