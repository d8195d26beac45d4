/** Transcoders and an edge of different releases: what is added does no harm, what is not understood is refused. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { PROTOCOL_HEADER } from '../../src/contract/transcoder.ts';
import { Clips, QUICK, testPicture } from '../transcoder/clips.ts';
import { System, Transcoder } from './system.ts';

let system: System;
let clips: Clips;
beforeAll(async () => {
  [system, clips] = await Promise.all([System.start(), Clips.open()]);
});
afterAll(() => Promise.all([system.stop(), clips.close()]));

interface Changes {
  request?: (headers: Headers, path: string) => void;
  answer?: (json: object) => object;
}

/** Stands before the edge, and changes what passes between it and a transcoder. */
async function relay({ request, answer }: Changes): Promise<string> {
  const server: Server = createServer(async (incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    for (const name of ['host', 'connection', 'transfer-encoding']) headers.delete(name);
    request?.(headers, url);
    const body = method === 'GET' ? null : await buffer(incoming);
    const told = await fetch(system.url + url, { method, headers, body });
    const type = told.headers.get('content-type') ?? '';
    const bytes = Buffer.from(await told.arrayBuffer());
    const isJson = type.startsWith('application/json') && answer;
    const changed = isJson ? JSON.stringify(answer(JSON.parse(bytes.toString()) as object)) : bytes;
    outgoing.writeHead(told.status, {
      'content-type': type,
      [PROTOCOL_HEADER]: told.headers.get(PROTOCOL_HEADER) ?? '',
    });
    outgoing.end(changed);
  });
  await once(server.listen(0, 'localhost'), 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

async function transcoderAt(url: string): Promise<Transcoder> {
  const transcoder = await Transcoder.start(url);
  onTestFinished(() => transcoder.stop());
  return transcoder;
}

test('one whose version is not spoken here gives the job back and ends; one that knows less than the edge says does it', async () => {
  const clip = await clips.make('small.mp4', ...testPicture('128x96', '10', 2), ...QUICK);
  const id = await system.submit(new Uint8Array(await clips.read(clip)));
  const tooOld = await relay({
    request: (headers, path) => path.endsWith('/lease') && headers.set(PROTOCOL_HEADER, '0'),
  });
  const refused = await transcoderAt(tooOld);
  expect(await refused.exited).toEqual([1, null]);
  const last = refused.lines.find((line) => line.includes('"level":60')) ?? '';
  expect(last).toContain('The edge does not speak protocol 1 of this transcoder, but 1. Install the release');
  expect(refused.lines.join('\n')).not.toContain('could not be handed back');
  expect(await system.job(id)).toMatchObject({ status: 'pending', attempt: 0 });

  const withMore = (json: object): object => ({ ...json, added_later: { by: ['a newer edge'] } });
  const older = await transcoderAt(await relay({ answer: withMore }));
  await older.logged('"msg":"finished"');
  expect(await system.job(id)).toMatchObject({ status: 'completed', attempt: 1 });
});
