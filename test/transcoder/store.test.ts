/** A file goes to the edge in one piece up to the size of a part, in parts above it, and arrives as it was. */
import { createHash, randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PART_BYTES } from '../../src/contract/transcoder.ts';
import { EdgeClient } from '../../transcoder-node/edge/client.ts';
import { Lease } from '../../transcoder-node/edge/lease.ts';
import { storeFile } from '../../transcoder-node/edge/store.ts';
import { EdgeRefused } from '../../transcoder-node/errors.ts';
import { Clips } from './clips.ts';
import { LoopbackEdge, type LoopbackJob } from './loopback-edge.ts';

let clips: Clips;
let edge: LoopbackEdge;
let job: LoopbackJob;
let lease: Lease;
const { signal } = new AbortController();

const LONG = process.env.REELWIRE_LONG === '1';
const FURTHER: [string, number, number][] = [
  ['of a part less one byte', PART_BYTES - 1, 0],
  ['of exactly two parts', 2 * PART_BYTES, 2],
  ['of more than two parts', 2 * PART_BYTES + 7, 3],
];

beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());
beforeEach(async () => {
  edge = await LoopbackEdge.start();
  job = edge.addJob(Buffer.alloc(1));
  const client = new EdgeClient(edge.url, undefined);
  lease = new Lease(client, job.id, job.grant(), performance.now(), signal, pino({ level: 'silent' }));
});
afterEach(async () => {
  await lease.close();
  await edge.close();
  expect(edge.violations).toEqual([]);
});

const sha = (bytes: Uint8Array | undefined): string =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');

async function stored(bytes: Buffer): Promise<void> {
  const file = await clips.write('video.mp4', bytes);
  expect(await storeFile(lease, 'mp4/video.mp4', file, signal)).toBe(bytes.length);
  expect(sha(job.outputs.get('mp4/video.mp4'))).toBe(sha(bytes));
}

describe('a file', () => {
  it.each<[string, number, number]>([
    ['of one byte', 1, 0],
    ['of exactly a part', PART_BYTES, 0],
    ['of a part and one byte', PART_BYTES + 1, 2],
    ...(LONG ? FURTHER : []),
  ])('%s arrives as it was', async (_, size, parts) => {
    let requests = 0;
    edge.fault = (route) => {
      requests += Number(route === 'outputs');
      return null;
    };
    await stored(randomBytes(size));
    expect(requests).toBe(parts === 0 ? 1 : parts + 2);
  });

  it('arrives although every request of it is cut once, before or after it was heard', async () => {
    let requests = 0;
    edge.fault = (route) => {
      if (route !== 'outputs') return null;
      requests += 1;
      return requests % 2 === 0 || requests > 7 ? null : { hangUp: requests % 4 === 1 ? 'before' : 'after' };
    };
    await stored(randomBytes(PART_BYTES + 1));
    // The completion was heard, so the upload is gone when it is asked for again: begun anew, in four requests.
    expect(requests).toBe(12);
  });

  it('is given up when the lease is gone', async () => {
    job.lease += 1;
    const file = await clips.write('video.mp4', randomBytes(PART_BYTES + 1));
    await expect(storeFile(lease, 'mp4/video.mp4', file, signal)).rejects.toThrow(EdgeRefused);
    expect(lease.signal.aborted).toBe(true);
    expect(job.outputs.size).toBe(0);
  });
});
