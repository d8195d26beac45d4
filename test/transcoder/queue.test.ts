import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDoorbell } from '../../transcoder-node/edge/queue.ts';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import { Harness } from './harness.ts';
import { LoopbackEdge } from './loopback-edge.ts';

/** Never run here: no task of this file comes that far. */
const NO_TOOLS: Binaries = { ffmpeg: '/nowhere', ffprobe: '/nowhere', packager: '/nowhere' };

const doorbell = { job_id: randomUUID(), task: 'main' };
const json = JSON.stringify(doorbell);
const base64 = Buffer.from(json).toString('base64');

describe('a message body', () => {
  it.each([
    ['an object', doorbell],
    ['JSON text', json],
    ['base64 of JSON', base64],
  ])('is read as %s', (_, body) => {
    expect(readDoorbell(body)).toEqual(doorbell);
  });

  it.each([
    null,
    7,
    '',
    'words',
    '{"job_id":1}',
    { ...doorbell, task: 'other' },
    { ...doorbell, job_id: '../x' },
    base64.slice(4),
  ])('is no doorbell: %j', (body) => {
    expect(readDoorbell(body)).toBeNull();
  });
});

describe('a message', () => {
  let edge: LoopbackEdge;
  let transcoder: Harness;

  beforeEach(async () => {
    edge = await LoopbackEdge.start();
    transcoder = await Harness.start(edge.url, NO_TOOLS, { slots: 4 });
  });
  afterEach(async () => {
    await transcoder.stop();
    await edge.close();
    expect(edge.violations).toEqual([]);
  });

  it('is acknowledged when it cannot be read, and the next one is taken', async () => {
    const garbage = edge.push('not a doorbell');
    const job = edge.addJob(Buffer.from('not a video'));
    await edge.until(() => garbage.state === 'acked');
    await edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'not_media', retryable: false } });
  });

  it.each([
    ['an object', (body: object) => body],
    ['JSON text', (body: object) => JSON.stringify(body)],
    ['base64 of JSON', (body: object) => Buffer.from(JSON.stringify(body)).toString('base64')],
  ])('leads to a lease as %s', async (_, write) => {
    const job = edge.addJob(Buffer.from('not a video'));
    edge.messages.length = 0;
    const message = edge.push(write({ job_id: job.id, task: 'main' }));
    await edge.until(() => job.finish && message.state === 'acked');
    expect(job.lease).toBe(1);
  });

  it('is acknowledged when the job is unknown or taken', async () => {
    const unknown = edge.push({ job_id: randomUUID(), task: 'main' });
    const taken = edge.addJob(Buffer.from('x'));
    taken.cancel = true;
    await edge.until(() => unknown.state === 'acked' && edge.messages.at(-1)?.state === 'acked');
    expect(taken.lease).toBe(0);
  });

  it('stays in the queue while the edge cannot decide', async () => {
    let asked = 0;
    edge.fault = (route) => {
      if (route !== 'lease') return null;
      asked += 1;
      return { status: 503 };
    };
    const job = edge.addJob(Buffer.from('x'));
    await edge.until(() => asked > 3);
    const other = edge.push('not a doorbell');
    await edge.until(() => other.state === 'acked');
    expect(edge.messages[0]?.state).toBe('pulled');
    expect(job.lease).toBe(0);
  });
});
