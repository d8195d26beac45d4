/** Many watchers on real sockets: those who come and go leave nothing, and a restart of the edge costs nobody an event. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LeaseGrant, type Report } from '../../src/contract/transcoder.ts';
import { follow, type Told } from './follow.ts';
import { System } from './system.ts';

const LONG = process.env.REELWIRE_LONG === '1';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());

const post = (path: string, body: unknown): Promise<Response> =>
  fetch(system.url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });

async function leased(): Promise<{ id: string; lease: number }> {
  const id = await system.submit(new Uint8Array([1]));
  const request = { task: 'main', transcoder: 'test', request_id: `request-${id}` };
  const answer = await post(`/internal/jobs/${id}/lease`, request);
  return { id, lease: LeaseGrant.parse(await answer.json()).lease };
}

const watching = async (id: string) => (await system.bindings()).JOB.getByName(id).watching;

/** Connects, waits for the first bytes of the stream, and is gone without a word. */
async function comeAndGo(id: string): Promise<void> {
  const { host, port } = new URL(system.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET /jobs/${id}/stream HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let seen = '';
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      seen += String(bytes);
      if (seen.includes('retry: ')) resolve();
    });
  });
  socket.resetAndDestroy();
  await once(socket, 'close');
}

test('a thousand clients that come and go leave no watcher, no timer and no complaint', async () => {
  const { id, lease } = await leased();
  const turns = Array.from({ length: 20 }, async () => {
    for (let cycle = 0; cycle < 50; cycle += 1) await comeAndGo(id);
  });
  await Promise.all(turns);
  const entries: Report['entries'] = [
    { type: 'warning', code: 'decode_errors', message: 'all hear this', details: {} },
  ];
  await post(`/internal/jobs/${id}/report`, { lease, batch: 1, entries, commits: [] });
  await expect.poll(() => watching(id), { timeout: 20_000 }).toEqual({ watchers: 0, isTicking: false });
  expect(system.complaints()).toEqual([]);
}, 60_000);

/** What a reader hears who is cut off after a few events and comes again, `cuts` times, then stays to the end. */
async function joined(id: string, cuts: number): Promise<Told[]> {
  const told: Told[] = [];
  for (let cut = 0; cut <= cuts; cut += 1) {
    const last = told.findLast((one) => one.id !== '')?.id ?? '0';
    let budget = 1 + ((Number(last) + cut) % 9);
    const isEnough = () => cut < cuts && --budget === 0;
    told.push(...(await follow(`${system.url}/jobs/${id}/stream?last_event_id=${last}`, isEnough)));
  }
  return told;
}

test('readers that are cut off, and an edge that restarts, under many writers: no gap and no repeat', async () => {
  const [READERS, CUTS, RESTARTS, WRITERS, EACH] = LONG ? [48, 10, 5, 6, 40] : [8, 3, 1, 6, 10];
  const { id, lease } = await leased();
  let batch = 0;
  let taken = 0;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let n = 0; n < EACH; n += 1) {
      const entries = [{ type: 'warning', code: 'decode_errors', message: `${writer}/${n}`, details: {} }];
      const say = () => post(`/internal/jobs/${id}/report`, { lease, batch: ++batch, entries, commits: [] });
      // While the edge restarts, nobody answers.
      for (let answer = await say().catch(() => null); !answer?.ok; ) answer = await say().catch(() => null);
      taken += 1;
    }
  });
  const readers = Array.from({ length: READERS }, () => joined(id, CUTS));
  for (let n = 1; n <= RESTARTS; n += 1) {
    const share = (n * WRITERS * EACH) / (RESTARTS + 1);
    await expect.poll(() => taken, { timeout: 30_000, interval: 1 }).toBeGreaterThan(share);
    await system.restart();
  }
  await Promise.all(writers);
  await post(`/jobs/${id}/cancel`, {});
  const log = (await (await fetch(`${system.url}/jobs/${id}/events?limit=1000`)).json()) as {
    events: { seq: number; type: string }[];
  };
  expect(log.events.filter(({ type }) => type === 'warning').length).toBeGreaterThan((WRITERS * EACH) / 2);
  const all = log.events.filter(({ type }) => type !== 'progress').map(({ seq }) => String(seq));
  for (const told of await Promise.all(readers)) {
    expect(told.filter(({ event }) => event !== 'progress').map((one) => one.id)).toEqual(all);
  }
}, 120_000);
