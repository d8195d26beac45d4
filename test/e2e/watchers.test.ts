/** Many watchers on real sockets: those who come and go leave nothing, and a restart of the edge costs nobody an event. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Heard } from '../browser/page/listen.ts';
import { DrivenJob } from './driven-job.ts';
import { complaints } from './exactly-once.ts';
import { follow } from './follow.ts';
import { System } from './system.ts';

const LONG = process.env.REELWIRE_LONG === '1';
/** Each of twenty clients at once comes so often: a thousand times in all, or two hundred. */
const CYCLES = LONG ? 50 : 10;

let system: System;
beforeAll(async () => {
  // Nobody renews the lease of a job that a test drives.
  system = await System.start({ LEASE_MS: '600000' });
});
afterAll(() => system.stop());

async function begun(): Promise<DrivenJob> {
  const job = await DrivenJob.submit(system.url);
  await job.begin();
  return job;
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

test('clients that come and go leave no watcher, no timer and no complaint', async () => {
  const job = await begun();
  const turns = Array.from({ length: 20 }, async () => {
    for (let cycle = 0; cycle < CYCLES; cycle += 1) await comeAndGo(job.id);
  });
  await Promise.all(turns);
  await job.tell(1);
  await expect.poll(() => watching(job.id), { timeout: 20_000 }).toEqual({ watchers: 0, isTicking: false });
  expect(system.complaints()).toEqual([]);
}, 60_000);

/** What a reader hears who is cut off after a few events and comes again, `cuts` times, then stays to the end. */
async function joined(id: string, cuts: number): Promise<Heard[]> {
  const heard: Heard[] = [];
  for (let cut = 0; cut <= cuts; cut += 1) {
    const last = heard.at(-1)?.id ?? 0;
    let budget = 1 + ((last + cut) % 9);
    const isEnough = () => cut < cuts && --budget === 0;
    const told = await follow(`${system.url}/jobs/${id}/stream?last_event_id=${last}`, isEnough);
    heard.push(...told.map((one) => ({ ...one, id: Number(one.id) })));
  }
  return heard;
}

test('readers that are cut off, and an edge that restarts, under many writers: no gap and no repeat', async () => {
  const [READERS, CUTS, RESTARTS, WRITERS, EACH] = LONG ? [48, 10, 5, 6, 40] : [8, 3, 1, 6, 10];
  const job = await begun();
  let taken = 0;
  const writers = Array.from({ length: WRITERS }, async () => {
    for (let n = 0; n < EACH; n += 1) {
      // While the edge restarts, nobody answers.
      while (
        !(await job.tell(1).then(
          () => true,
          () => false,
        ))
      );
      taken += 1;
    }
  });
  const readers = Array.from({ length: READERS }, () => joined(job.id, CUTS));
  for (let n = 1; n <= RESTARTS; n += 1) {
    const share = (n * WRITERS * EACH) / (RESTARTS + 1);
    await expect.poll(() => taken, { timeout: 30_000, interval: 1 }).toBeGreaterThan(share);
    await system.restart();
  }
  await Promise.all(writers);
  await job.cancel();
  const log = await job.log();
  expect(log.filter(({ type }) => type === 'warning').length).toBeGreaterThan((WRITERS * EACH) / 2);
  for (const heard of await Promise.all(readers)) expect(complaints(log, heard)).toEqual([]);
}, 120_000);
