/** How queues are asked, and what a message's body may look like. */
import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../transcoder-node/config.ts';
import { Queue, readDoorbell } from '../../transcoder-node/edge/queue.ts';
import { backoff } from '../../transcoder-node/edge/retry.ts';
import { IDLE_POLL_MS } from '../../transcoder-node/limits.ts';
import { LoopbackEdge } from './loopback-edge.ts';
import { HIGH, QUEUE } from './loopback-queues.ts';

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

describe('the pause between two polls of empty queues', () => {
  it('grows to a second at most, and is never the same', () => {
    const pauses = Array.from({ length: 100 }, (_, tries) => backoff(IDLE_POLL_MS, tries + 1));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000);
    expect(Math.min(...pauses.slice(2))).toBeGreaterThanOrEqual(700);
    expect(pauses[0]).toBeLessThanOrEqual(250);
    expect(new Set(pauses).size).toBeGreaterThan(90);
  });
});

describe('the queues', () => {
  const account = { CLOUDFLARE_ACCOUNT_ID: 'a', CLOUDFLARE_API_TOKEN: 't' };
  it.each<[string, Record<string, string>, string[]]>([
    ['locally, both', {}, [HIGH, QUEUE]],
    ['at Cloudflare, both', { ...account, QUEUE_ID: 'q', QUEUE_ID_HIGH: 'h' }, ['h', 'q']],
    ['at Cloudflare, one', { ...account, QUEUE_ID: 'q' }, ['q']],
  ])('%s', (_, env, queues) => {
    expect(readConfig([], env).queue.queues).toEqual(queues);
  });

  it.each<Record<string, string>>([{ QUEUE_ID_HIGH: 'h' }, { ...account, QUEUE_ID_HIGH: 'h' }])('not %j', (env) => {
    expect(() => readConfig([], env)).toThrow(ConfigError);
  });
});

describe('many polls', () => {
  it('leave nothing on the signal that ends them', async () => {
    const edge = await LoopbackEdge.start();
    const { signal } = new AbortController();
    const queue = new Queue(readConfig(['--edge', edge.url], {}).queue);
    for (const name of queue.names) expect(await queue.pull(name, 1, signal)).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await edge.close();
  });
});
