/** Real faults between the transcoder and the edge; each ends with no process and no folder left. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import type { Fault, LoopbackJob, Route } from './loopback-edge.ts';

const bed = testBed();
let short: Buffer;
let long: Buffer;
beforeAll(async () => {
  short = await bed.clips.short();
  long = await bed.clips.long();
});
beforeEach(() => bed.start({ libvmaf: false }));

/** Gives the faults of `list` to the first requests of a route; null lets one through. */
function inTurn(route: Route, list: Array<Fault | null>): void {
  const left = [...list];
  const others = bed.edge.fault;
  bed.edge.fault = (asked, ...about) => (asked === route ? (left.shift() ?? null) : others(asked, ...about));
}

describe('a connection that is cut', () => {
  it('while the source comes: the download goes on where it was', async () => {
    const third = Math.floor(short.length / 3);
    inTurn('source', [{ cutAfterBytes: third }, { status: 503 }, { cutAfterBytes: third }, { hangUp: 'before' }]);
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toHaveProperty('result');
    const starts = job.ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts[0]).toBe(0);
    expect(starts.at(-1)).toBeGreaterThan(0);
  });

  it('before a source that is not there: the attempt ends, and another may succeed', async () => {
    inTurn('source', [{ hangUp: 'before' }, { status: 404, code: 'not_found' }]);
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'internal', retryable: true } });
  });

  const reports: Array<Fault | null> = [null, { hangUp: 'before' }, { hangUp: 'after' }, null, { status: 502 }];
  const uploads: Array<Fault | null> = [
    { hangUp: 'before' },
    { hangUp: 'after' },
    { status: 500 },
    { hangUp: 'after' },
  ];
  const others: [Route, Array<Fault | null>][] = [
    ['pull', [{ hangUp: 'before' }, { status: 500 }]],
    ['lease', [{ hangUp: 'before' }, { status: 503 }]],
    ['fleet', [{ hangUp: 'before' }, { status: 500 }, { hangUp: 'after' }]],
    ['finish', [{ hangUp: 'before' }, { status: 503 }, { hangUp: 'after' }]],
  ];

  it.each<[string, [Route, Array<Fault | null>][]]>([
    ['around reports', [['report', reports]]],
    ['around uploads, the queue, the lease, the announcements and the finish', [['outputs', uploads], ...others]],
  ])('%s changes nothing', async (_, faults) => {
    for (const [route, list] of faults) inTurn(route, list);
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toHaveProperty('result');
    expect(job.commits).toHaveLength(6);
  });

  it('after a report was taken: it came again with the same batch', async () => {
    inTurn('report', [{ hangUp: 'after' }, null, { hangUp: 'after' }]);
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    const batches = job.reports.map(({ batch }) => batch);
    expect(batches.slice(0, 2)).toEqual([1, 1]);
    expect(batches).toEqual(batches.toSorted((a, b) => a - b));
  });
});

describe('the end of a lease', () => {
  it.each<[string, (job: LoopbackJob) => unknown]>([
    ['cancelled by a user', (job) => Object.assign(job, { cancel: true })],
    ['given to another', (job) => Object.assign(job, { lease: job.lease + 1 })],
    ['of a deleted job', (job) => bed.edge.jobs.delete(job.id)],
  ])('%s kills the work', async (_, end) => {
    const job = await bed.encoding(long);
    let toldAt = 0;
    bed.edge.fault = (route) => {
      if (route === 'report' || route === 'outputs') toldAt ||= performance.now();
      return null;
    };
    end(job);
    await bed.edge.until(() => toldAt > 0);
    await bed.gone();
    expect(performance.now() - toldAt).toBeLessThan(3_000);
    expect(job.finish).toBeNull();
    expect(job.released).toEqual([]);
  });

  it('leaves the slot to the next task', async () => {
    const job = await bed.encoding(long);
    const next = bed.edge.addJob(short);
    job.cancel = true;
    await bed.edge.until(() => next.finish);
    expect(next.finish).toHaveProperty('result');
  });
});

describe('an edge that is away for longer than the lease', () => {
  const LEASE_MS = 500;

  /** From the first request of `route` on all hang up. Resolves when that has lasted, and reports were tried in vain. */
  async function away(route: Route): Promise<void> {
    let since = 0;
    let reports = 0;
    bed.edge.fault = (asked) => {
      if (asked === route) since ||= performance.now();
      if (since === 0) return null;
      reports += Number(asked === 'report');
      return { hangUp: 'before' };
    };
    await bed.edge.until(() => reports > 2 && performance.now() - since > 2 * LEASE_MS);
  }

  it.each<Route>(['source', 'outputs'])('from a request for %s on: the task goes on where it was', async (route) => {
    const job = bed.edge.addJob(short);
    job.lease_ms = LEASE_MS;
    await away(route);
    bed.edge.fault = () => null;
    await bed.edge.until(() => job.finish);
    expect(job.finish).toHaveProperty('result');
    expect(job.lease).toBe(1);
    expect(job.commits).toHaveLength(6);
  });

  it('and has given it to another: the work is dead when it is back', async () => {
    const job = bed.edge.addJob(long);
    job.lease_ms = LEASE_MS;
    await bed.edge.until(() => job.commits.some(({ n }) => n === 1));
    await away('report');
    expect(await bed.transcoder.tools()).not.toEqual([]);
    job.lease += 1;
    bed.edge.fault = () => null;
    await bed.gone();
    expect(job.finish).toBeNull();
    expect(job.released).toEqual([]);
  });
});

describe('an edge that refuses', () => {
  it('an upload ends the attempt with an error, not the process', async () => {
    inTurn('outputs', [{ status: 409, code: 'object_exists' }]);
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'internal', retryable: true } });
    await bed.gone();
  });

  it('a report that names the lease as valid ends the attempt with an error', async () => {
    inTurn('report', [null, { status: 409, code: 'rendition_incomplete' }]);
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'internal', retryable: true } });
    await bed.gone();
  });
});
