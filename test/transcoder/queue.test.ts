/** What comes out of the queues: in which order, once, and not lost. No task of this file needs a tool. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import { Harness } from './harness.ts';
import { type Fault, LoopbackEdge, type Route } from './loopback-edge.ts';
import { HIGH, QUEUE, type Queued } from './loopback-queues.ts';

const NO_TOOLS: Binaries = { ffmpeg: '/nowhere', ffprobe: '/nowhere', packager: '/nowhere' };

const doorbell = { job_id: randomUUID(), task: 'main' };

let edge: LoopbackEdge;
let transcoder: Harness;

const start = async (slots: number) => {
  transcoder = await Harness.start(edge.url, NO_TOOLS, { slots });
};
const notVideo = (priority: 'normal' | 'high' = 'normal') =>
  edge.addJob(Buffer.from('not a video'), null, { priority });

function last(): Queued {
  const message = edge.messages.at(-1);
  if (!message) throw new Error('no message yet');
  return message;
}

/** Holds the answers of a route, of one queue if it is named, until `give` is called. */
function hold(route: Route, queue?: string): { give: () => void; held: () => number } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let held = 0;
  edge.fault = (asked, _, from): Fault | null => {
    if (asked !== route || (queue && from !== queue)) return null;
    held += 1;
    return { answerAfter: promise };
  };
  return { give: resolve, held: () => held };
}

beforeEach(async () => {
  edge = await LoopbackEdge.start();
});
afterEach(async () => {
  await transcoder.stop();
  await edge.close();
  expect(edge.violations).toEqual([]);
});

describe('a message', () => {
  beforeEach(() => start(4));

  it('is acknowledged when it cannot be read, and the next one is taken', async () => {
    const garbage = edge.push('not a doorbell');
    const job = notVideo();
    await edge.until(() => garbage.state === 'acked' && job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'not_media', retryable: false } });
  });

  it.each([
    ['an object', (body: object) => body],
    ['JSON text', (body: object) => JSON.stringify(body)],
    ['base64 of JSON', (body: object) => Buffer.from(JSON.stringify(body)).toString('base64')],
  ])('leads to a lease as %s', async (_, write) => {
    const job = notVideo();
    edge.messages.length = 0;
    const message = edge.push(write({ job_id: job.id, task: 'main' }));
    await edge.until(() => job.finish && message.state === 'acked');
    expect(job.lease).toBe(1);
  });

  it('is acknowledged when the job is unknown or taken', async () => {
    const unknown = edge.push({ job_id: randomUUID(), task: 'main' });
    const taken = notVideo();
    taken.cancel = true;
    await edge.until(() => unknown.state === 'acked' && last().state === 'acked');
    expect(taken.lease).toBe(0);
  });

  it('that comes twice leads to one task, while it runs and after it', async () => {
    const { give, held } = hold('finish');
    const job = notVideo();
    edge.ring(job);
    await edge.until(() => held() > 0 && edge.messages.every(({ state }) => state === 'acked'));
    give();
    const late = edge.ring(job);
    await edge.until(() => late.state === 'acked');
    expect(job.lease).toBe(1);
    expect(held()).toBe(1);
  });

  it('is not lost beside others that have no shape', async () => {
    edge.queues.odd.push(null, 'words', { body: doorbell }, { lease_id: 7, body: doorbell });
    const job = notVideo();
    await edge.until(() => job.finish && last().state === 'acked');
    expect(edge.queues.odd).toEqual([]);
  });

  it('stays in the queue while the edge cannot decide, in nobody’s way, and comes again', async () => {
    let asked = 0;
    const job = notVideo();
    edge.fault = (route, { id } = job) => {
      if (route !== 'lease' || id !== job.id) return null;
      asked += 1;
      return { status: 503 };
    };
    const message = last();
    await edge.until(() => asked > 3);
    const other = notVideo();
    await edge.until(() => other.finish);
    expect(message.state).toBe('pulled');
    expect(job.lease).toBe(0);
    edge.fault = () => null;
    edge.queues.comeAgain(message);
    await edge.until(() => job.finish && message.state === 'acked');
    expect(message.pulls).toBe(2);
  });

  it('leads to one lease although the answers to its request were lost', async () => {
    let lost = 0;
    edge.fault = (route) => {
      if (route !== 'lease' || lost === 2) return null;
      lost += 1;
      return { hangUp: 'after' };
    };
    const job = notVideo();
    await edge.until(() => job.finish);
    expect(job.lease).toBe(1);
    expect(lost).toBe(2);
  });
});

describe('the urgent queue', () => {
  it('is asked first, and the other one for the slots that are left', async () => {
    const asked: string[] = [];
    const { give } = hold('lease');
    const { fault } = edge;
    edge.fault = (route, job, queue) => {
      if (route === 'lease') asked.push(job?.options.priority ?? '');
      return fault(route, job, queue);
    };
    const jobs = (['normal', 'normal', 'high', 'normal', 'high', 'high'] as const).map((name) => notVideo(name));
    await start(4);
    await edge.until(() => asked.length === 4);
    expect(asked.toSorted()).toEqual(['high', 'high', 'high', 'normal']);
    give();
    await edge.until(() => jobs.every(({ finish }) => finish));
  });

  it.each<[string, string, Fault]>([
    ['refuses', HIGH, { status: 503 }],
    ['hangs', HIGH, { answerAfter: new Promise(() => {}) }],
    ['hangs', QUEUE, { answerAfter: new Promise(() => {}) }],
  ])('when one %s, the other is served: %s', async (_, bad, fault) => {
    edge.fault = (route, __, queue) => (route === 'pull' && queue === bad ? fault : null);
    await start(2);
    const jobs = [1, 2, 3].map(() => notVideo(bad === HIGH ? 'normal' : 'high'));
    await edge.until(() => jobs.every(({ finish }) => finish));
  });

  it('answers late: what finds no slot goes back, and comes again', async () => {
    const high = notVideo('high');
    const message = last();
    const pull = hold('pull', HIGH);
    await start(1);
    await edge.until(() => message.state === 'pulled');
    const normal = notVideo();
    const lease = hold('lease');
    await edge.until(() => lease.held() === 1);
    expect(normal.lease).toBe(1);
    pull.give();
    await edge.until(() => message.state === 'ready');
    lease.give();
    await edge.until(() => normal.finish && high.finish);
    expect(message.pulls).toBe(2);
  });
});

describe('a shutdown', () => {
  it('while messages are pulled: they go back', async () => {
    const { give } = hold('pull', QUEUE);
    await start(2);
    const job = notVideo();
    const message = last();
    await edge.until(() => message.state === 'pulled');
    const stopped = transcoder.stop();
    give();
    await stopped;
    expect(message.state).toBe('ready');
    expect(job.lease).toBe(0);
  });

  it('while a lease is granted: it is released', async () => {
    const { give } = hold('lease');
    await start(2);
    const jobs = [notVideo(), notVideo()];
    await edge.until(() => jobs.every(({ lease }) => lease === 1));
    const stopped = transcoder.stop();
    give();
    await stopped;
    expect(jobs.map(({ released }) => released)).toEqual([[1], [1]]);
    expect(edge.messages.map(({ state }) => state)).toEqual(['acked', 'acked']);
  });

  it('while a lease is asked for in vain: the message goes back, in time', async () => {
    hold('lease');
    await start(2);
    const job = notVideo();
    await edge.until(() => job.lease === 1);
    const before = performance.now();
    await transcoder.stop();
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(last().state).toBe('ready');
    expect(job.released).toEqual([]);
  });
});

describe('with --once, what went wrong', () => {
  /** Until nothing is left to do. */
  async function onceOver(): Promise<{ failures: number; log: string }> {
    const lines: string[] = [];
    const log = pino({}, { write: (line) => lines.push(line) });
    transcoder = await Harness.start(edge.url, NO_TOOLS, { once: true, log });
    return { failures: await transcoder.failures, log: lines.join('') };
  }

  it('is nothing when there was nothing to do', async () => {
    expect(await onceOver()).toMatchObject({ failures: 0 });
  });

  it('is a queue that stayed out of reach, and the log says which', async () => {
    let asked = 0;
    edge.fault = (route, _, queue) => {
      if (route !== 'pull' || queue !== HIGH) return null;
      asked += 1;
      return { status: 503 };
    };
    const { failures, log } = await onceOver();
    expect([failures, asked]).toEqual([1, 4]);
    expect(log).toMatch(/reelwire-transcode-high.*the queue cannot be reached/);
  });

  it('is a job of which the edge could not say whether it has work', async () => {
    edge.fault = (route) => (route === 'lease' ? { status: 503 } : null);
    const job = notVideo();
    const { failures, log } = await onceOver();
    expect(failures).toBe(1);
    expect(log).toMatch(new RegExp(`${job.id}.*whether this job has work`));
  });
});
