/**
 * Files of gigabytes through every door, in the long tests only: stored byte for byte, by a workerd that stays small.
 * How fast they are, `npm run bench -- upload` says.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { System } from './system.ts';
import { PART } from './tus-upload.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** What our own client sends at a time. */
const CHUNK = 32 * MIB;
const MOST_RSS = 700 * MIB;

const BOUNDARY = 'a-boundary-for-this-test';
const HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n`;
const TAIL = `\r\n--${BOUNDARY}--\r\n`;

const BLOCK = randomBytes(MIB);

/** The file's megabyte `n`, unlike every other. */
function megabyte(n: number): Buffer {
  const made = Buffer.from(BLOCK);
  made.writeUInt32LE(n, 0);
  return made;
}

/** Sends megabytes `from` to `to`, and what stands around them. */
async function send(
  address: string,
  method: string,
  headers: Record<string, string>,
  [from, to]: readonly [number, number],
  [before, after]: readonly [string, string] = ['', ''],
): Promise<{ status: number; location: string; body: string }> {
  const size = before.length + (to - from) * MIB + after.length;
  const open = request(address, { method, headers: { ...headers, 'Content-Length': size }, agent: false });
  const answered = once(open, 'response');
  open.write(before);
  for (let n = from; n < to; n++) if (!open.write(megabyte(n))) await once(open, 'drain');
  open.end(after);
  const [answer] = await answered;
  let body = '';
  for await (const piece of answer.setEncoding('utf8')) body += piece;
  return { status: answer.statusCode, location: answer.headers.location ?? '', body };
}

function etagOf(megabytes: number): string {
  const digests: Buffer[] = [];
  let part: Hash = createHash('md5');
  for (let n = 0; n < megabytes; n++) {
    part.update(megabyte(n));
    if ((n + 1) % (PART / MIB) !== 0 && n + 1 < megabytes) continue;
    digests.push(part.digest());
    part = createHash('md5');
  }
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${digests.length}`;
}

/** Resident bytes of the largest workerd that this process has started. */
function residentBytes(): number {
  const sizes = readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
      return field('Name') === 'workerd' && field('PPid') === String(process.pid)
        ? [Number(field('VmRSS')) * 1024]
        : [];
    } catch {
      return [];
    }
  });
  return Math.max(0, ...sizes);
}

const jobOf = (body: string): string => z.object({ job_id: z.string() }).parse(JSON.parse(body)).job_id;

describe.runIf(LONG)('gigabytes', () => {
  let system: System;
  let peak = 0;
  let looking: ReturnType<typeof setInterval>;
  beforeAll(async () => {
    system = await System.start();
    looking = setInterval(() => {
      peak = Math.max(peak, residentBytes());
    }, 500);
  });
  afterAll(async () => {
    clearInterval(looking);
    await system.stop();
  });

  async function isStored(id: string, megabytes: number): Promise<void> {
    const { INPUT } = await system.bindings();
    const stored = await INPUT.head(`${id}/source`);
    expect([stored?.size, stored?.etag]).toEqual([megabytes * MIB, etagOf(megabytes)]);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(MOST_RSS);
  }

  async function inPieces(megabytes: number): Promise<string> {
    const tus = { 'Tus-Resumable': '1.0.0' };
    const length = { 'Upload-Length': String(megabytes * MIB) };
    const { location } = await send(`${system.url}/uploads`, 'POST', { ...tus, ...length }, [0, 0]);
    const step = CHUNK / MIB;
    for (let n = 0; n < megabytes; n += step) {
      const headers = { ...tus, 'Upload-Offset': String(n * MIB), 'Content-Type': 'application/offset+octet-stream' };
      const range = [n, Math.min(n + step, megabytes)] as const;
      expect((await send(system.url + location, 'PATCH', headers, range)).status).toBe(204);
    }
    return location.slice('/uploads/'.length);
  }

  const raw = (megabytes: number) =>
    send(`${system.url}/process`, 'POST', { 'Content-Type': 'video/mp4' }, [0, megabytes]);

  test('2 GiB as a bare body and as a form', async () => {
    const megabytes = (2 * GIB) / MIB;
    await isStored(jobOf((await raw(megabytes)).body), megabytes);
    const form = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };
    const { body } = await send(`${system.url}/process`, 'POST', form, [0, megabytes], [HEAD, TAIL]);
    await isStored(jobOf(body), megabytes);
  }, 600_000);

  test('5 GiB in pieces', async () => {
    const megabytes = (5 * GIB) / MIB;
    await isStored(await inPieces(megabytes), megabytes);
  }, 900_000);
});
