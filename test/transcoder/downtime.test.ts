/** The edge is away for longer than a lease holds: nothing is given up, and nothing is said twice to another effect. */
import { once } from 'node:events';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeClient } from '../../transcoder-node/edge/client.ts';
import { Lease } from '../../transcoder-node/edge/lease.ts';
import { filePayload } from '../../transcoder-node/edge/store.ts';
import { EdgeUnavailable, LeaseLost } from '../../transcoder-node/errors.ts';
import { AWAY_MS } from '../../transcoder-node/limits.ts';
import { LoopbackEdge, type LoopbackJob, type Route } from './loopback-edge.ts';

const LEASE_MS = 400;
const SOURCE = Buffer.from('a source');
/** Any file does. */
const FILE = import.meta.filename;

let edge: LoopbackEdge;
let job: LoopbackJob;
let lease: Lease;
const { signal } = new AbortController();

beforeEach(async () => {
  edge = await LoopbackEdge.start();
  job = edge.addJob(SOURCE);
  job.lease_ms = LEASE_MS;
  const client = new EdgeClient(edge.url, undefined);
  lease = new Lease(client, job.id, job.grant(), performance.now(), signal, pino({ level: 'silent' }));
});
afterEach(async () => {
  await lease.close();
  await edge.close();
  vi.restoreAllMocks();
  expect(edge.violations).toEqual([]);
});

/** All of the edge, or some of its routes, hang up from now on. Gives the number of such calls. */
function away(...routes: Route[]): () => number {
  let refused = 0;
  edge.fault = (route) => {
    if (routes.length > 0 && !routes.includes(route)) return null;
    refused += 1;
    return { hangUp: 'before' };
  };
  return () => refused;
}

const back = () => {
  edge.fault = () => null;
};

async function longerThanTheLease(refused: () => number): Promise<void> {
  const since = performance.now();
  await edge.until(() => refused() > 4 && performance.now() - since > 1.5 * LEASE_MS);
}

/** Lets the transcoder's clock jump. */
function clock(): (ms: number) => void {
  const now = performance.now.bind(performance);
  let ahead = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  return (ms) => {
    ahead += ms;
  };
}

const uploaded = async () => lease.upload('poster/poster.jpg', await filePayload(FILE), signal);
const downloaded = async () => Buffer.from(await (await lease.download(0, signal)).arrayBuffer());

describe('an edge that comes back', () => {
  it('hears all that waited, under the same lease', async () => {
    const refused = away();
    lease.say({ type: 'stage', stage: 'transcoding', message: 'Fetching the source' });
    let over = 0;
    const waiting = [uploaded(), downloaded(), lease.drained()].map((work) => work.finally(() => over++));
    await longerThanTheLease(refused);
    expect(over).toBe(0);
    expect(lease.signal.aborted).toBe(false);
    back();
    const [, source] = await Promise.all(waiting);
    expect(source).toEqual(SOURCE);
    expect(job.outputs.has('poster/poster.jpg')).toBe(true);
    expect(job.entries.map(({ type }) => type)).toEqual(['stage']);
    expect(job.lease).toBe(1);
  });

  it('hears how the task ended', async () => {
    const refused = away();
    const finished = lease.finish({ result: { duration_seconds: 1 } });
    await longerThanTheLease(refused);
    back();
    await finished;
    expect(job.finish).toEqual({ lease: 1, result: { duration_seconds: 1 } });
    expect(lease.hasFailed).toBe(false);
  });

  it.each<[string, () => unknown]>([
    ['having given the lease away', () => Object.assign(job, { lease: 2 })],
    ['having deleted the job', () => edge.jobs.delete(job.id)],
  ])('%s ends the work at once', async (_, end) => {
    const refused = away();
    const upload = uploaded();
    const ended = once(lease.signal, 'abort');
    upload.catch(() => undefined);
    await longerThanTheLease(refused);
    end();
    back();
    await ended;
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    await expect(upload).rejects.toThrow();
    expect(job.outputs.size).toBe(0);
    expect(lease.hasFailed).toBe(false);
  });
});

describe('an edge that stays away', () => {
  it('ends the work ten minutes after its last word, not before', async () => {
    const forward = clock();
    const ended = once(lease.signal, 'abort');
    const refused = away();
    await edge.until(() => refused() > 1);
    forward(AWAY_MS - 60_000);
    const before = refused();
    await edge.until(() => refused() > before + 1);
    expect(lease.signal.aborted).toBe(false);
    forward(60_000);
    await ended;
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    expect(lease.hasFailed).toBe(true);
  });

  it('with one of its routes only ends that call, and the lease goes on', async () => {
    const forward = clock();
    const refused = away('outputs');
    const upload = uploaded();
    const failed = expect(upload).rejects.toThrow(EdgeUnavailable);
    await edge.until(() => refused() > 1 && job.reports.length > 0);
    forward(AWAY_MS);
    await failed;
    const { length } = job.reports;
    await edge.until(() => job.reports.length > length);
    expect(lease.signal.aborted).toBe(false);
  });
});
