/** The bad network itself: what each disturbance does to a request, and that others are left alone. */
import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Disturbance } from './draw.ts';
import { DisturbingProxy } from './proxy.ts';

/** Longer than any test takes. */
const NEVER_MS = 60_000;
const ANSWER = 'an answer of some length';

let server: Server;
let proxy: DisturbingProxy;
/** Bodies in the order in which they came; null for one that was cut. */
let arrived: (string | null)[];
const arrivals = new EventEmitter();

beforeEach(async () => {
  arrived = [];
  server = createServer((request, answer) => {
    const note = (body: string | null) => {
      arrived.push(body);
      arrivals.emit('arrival');
    };
    text(request).then(
      (body) => {
        note(body);
        answer.end(ANSWER);
      },
      () => note(null),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

async function disturb(kind: Disturbance['kind'], ms = 1): Promise<void> {
  const edge = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy = await DisturbingProxy.start(edge, [{ kind, at: 1, ms }]);
}

const send = async (body: string): Promise<string> =>
  (await fetch(`${proxy.url}/some/path`, { method: 'POST', body })).text();

async function untilArrived(count: number): Promise<void> {
  while (arrived.length < count) await once(arrivals, 'arrival');
}

test('a duplicate arrives twice and is answered once', async () => {
  await disturb('duplicate');
  expect(await send('first')).toBe(ANSWER);
  await untilArrived(2);
  expect(await send('second')).toBe(ANSWER);
  expect(arrived).toEqual(['first', 'first', 'second']);
  expect(proxy.done).toEqual({ duplicate: 1 });
});

test('a request that is cut does not arrive whole, and has no answer', async () => {
  await disturb('cut_request');
  await expect(send('first')).rejects.toThrow();
  await untilArrived(1);
  expect(await send('second')).toBe(ANSWER);
  expect(arrived).toEqual([null, 'second']);
});

test('an answer that is cut is not whole, though the request has arrived', async () => {
  await disturb('cut_answer');
  await expect(send('first')).rejects.toThrow();
  expect(await send('second')).toBe(ANSWER);
  expect(arrived).toEqual(['first', 'second']);
});

test('a request that is overtaken arrives after two others have been answered', async () => {
  await disturb('overtake', NEVER_MS);
  const first = send('first');
  await proxy.reached(1, AbortSignal.timeout(NEVER_MS));
  await send('second');
  await send('third');
  expect(await first).toBe(ANSWER);
  expect(arrived).toEqual(['second', 'third', 'first']);
});

test.each(['delay', 'delay_answer', 'overtake'] as const)(
  '%s: arrives once and is answered all the same',
  async (kind) => {
    await disturb(kind, 50);
    const begun = performance.now();
    expect(await send('first')).toBe(ANSWER);
    expect(performance.now() - begun).toBeGreaterThan(45);
    expect(arrived).toEqual(['first']);
  },
);

test('what is longer than the proxy holds passes undisturbed, and so does everything after the calm', async () => {
  await disturb('cut_request');
  const long = 'x'.repeat(2 ** 20 + 1);
  expect(await send(long)).toBe(ANSWER);
  expect(arrived).toEqual([long]);
  expect(proxy.done).toEqual({});
  await proxy.close();
  await disturb('cut_request');
  proxy.calm();
  expect(await send('first')).toBe(ANSWER);
});
