/** Uploads that break off, on real sockets: no job, and nothing left in storage. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { System } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());

const BOUNDARY = 'boundary';
const PART = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n`;

type End = 'FIN' | 'RST';

/** Sends half of a request, waits until an upload is under way, then ends the connection. */
async function sendHalf(type: string, start: string, end: End): Promise<void> {
  const { host, port } = new URL(system.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => socket.destroy());
  const half = 9 * 2 ** 20;
  const head = ['POST /process HTTP/1.1', `Host: ${host}`, `Content-Type: ${type}`, `Content-Length: ${2 * half}`];
  socket.write(`${head.join('\r\n')}\r\n\r\n${start}`);
  socket.write(Buffer.alloc(half));
  await expect.poll(openUploads, { timeout: 10_000 }).toBe(1);
  const closed = once(socket, 'close');
  socket.resume();
  if (end === 'FIN') socket.end();
  else socket.resetAndDestroy();
  await closed;
}

/** How many upload objects would still take a part. The part offered is aborted with the upload it belongs to. */
async function openUploads(): Promise<number> {
  const { UPLOAD } = await system.bindings();
  const ids = await system.worker.listDurableObjectIds('UPLOAD');
  const offered = { partNumber: 9999, etag: 'never-stored' };
  const taken = await Promise.all(ids.map((id) => UPLOAD.get(UPLOAD.idFromString(id)).addPart(offered, 0)));
  return taken.filter(Boolean).length;
}

test.each<[string, string, string, End]>([
  ['a bare body, closed', 'video/mp4', '', 'FIN'],
  ['a bare body, reset', 'video/mp4', '', 'RST'],
  ['a form, closed', `multipart/form-data; boundary=${BOUNDARY}`, PART, 'FIN'],
  ['a form, reset', `multipart/form-data; boundary=${BOUNDARY}`, PART, 'RST'],
])(
  '%s',
  async (_, type, start, end) => {
    await sendHalf(type, start, end);
    await expect.poll(openUploads, { timeout: 10_000 }).toBe(0);
    expect((await (await system.bindings()).INPUT.list()).objects).toEqual([]);
    expect(await system.worker.listDurableObjectIds('JOB')).toEqual([]);
  },
  30_000,
);

test('the same requests become jobs when they are whole', async () => {
  const whole = await fetch(`${system.url}/process`, {
    method: 'POST',
    body: 'whole',
    headers: { 'Content-Type': 'video/mp4' },
  });
  expect(whole.status).toBe(202);
  expect((await (await system.bindings()).INPUT.list()).objects).toHaveLength(1);
  expect(await system.worker.listDurableObjectIds('JOB')).toHaveLength(1);
});
