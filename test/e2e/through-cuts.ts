/**
 * A job from creation to completion, followed by one client through a network that cuts it off again and again. Every
 * connection, every first byte of an answer and every cut makes the job log more than a connection lives for: so each
 * connection is cut, part of the log is written while the client is away, and nothing waits for the clock.
 */
import { randomInt } from 'node:crypto';
import { expect, type TestContext } from 'vitest';
import type { Heard } from '../browser/page/listen.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { DrivenJob } from './driven-job.ts';
import { complaints } from './exactly-once.ts';

const CUTS = process.env.REELWIRE_LONG ? 40 : 5;
/** A browser waits 2 s after each cut, and the SDK longer when several come before the first event. */
export const LIMIT_MS = 20_000 + CUTS * 5000;
/** More than the job itself in `status`, so that fresh connections are cut before it and after it. */
export const WITHIN_BYTES = 16_000;
const BYTES_PER_ENTRY = 300;

/** Drives a job from its lease to completion; in between all the cuts are made. */
export async function completeThrough(proxy: CuttingProxy, job: DrivenJob): Promise<void> {
  await job.begin();
  while (proxy.cutsLeft > 0) {
    const changed = proxy.changed();
    await job.tell(Math.ceil(WITHIN_BYTES / BYTES_PER_ENTRY));
    await changed;
  }
  await job.complete();
}

/** Given the edge's address, behind the network, and a job; resolves with what the client handled when it has ended. */
export type Follow = (edge: string, job: string) => Promise<Heard[]>;

/** The client must handle each entry of the log once, in order, the last of them the one `complete`. No cut before `from`. */
export async function handlesEachOnce(edge: string, follow: Follow, context: TestContext, from = 0): Promise<void> {
  const { CUT_SEED } = process.env;
  const seed = CUT_SEED ? Number(CUT_SEED) : randomInt(2 ** 32);
  context.onTestFailed(() => console.error(`CUT_SEED=${seed} cuts at the same bytes again.`));
  const proxy = await CuttingProxy.start(edge, { seed, cuts: CUTS, within: WITHIN_BYTES, from });
  context.onTestFinished(() => proxy.close());
  const job = await DrivenJob.submit(edge);
  const following = follow(proxy.url, job.id);
  await Promise.race([completeThrough(proxy, job), following]);
  const heard = await following;
  expect(complaints(await job.log(), heard)).toEqual([]);
  expect(heard.filter(({ event }) => event === 'complete')).toEqual(heard.slice(-1));
  expect(proxy.cuts).toBe(CUTS);
  expect(proxy.connections).toBeGreaterThan(CUTS);
}
