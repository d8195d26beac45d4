/** The judge of rounds: content with a job that nothing has happened to, and with nothing less. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/contract/entries.ts';
import type { Heard } from '../browser/page/listen.ts';
import { follow } from '../e2e/follow.ts';
import type { System } from '../e2e/system.ts';
import { type Clip, ClipShelf } from './clips.ts';
import { startFaultyEdge } from './edge.ts';
import { judge, logComplaints } from './judge.ts';

const CLIP: Clip = { seconds: 5, size: '256x144', rate: 12, sound: true };

let system: System;
let shelf: ClipShelf;
let id: string;
let heard: Heard[];
beforeAll(async () => {
  [system, shelf] = await Promise.all([startFaultyEdge(), ClipShelf.open()]);
  await system.transcoder();
  id = await system.submit(await shelf.get(CLIP));
  const told = await follow(`${system.url}/jobs/${id}/stream?last_event_id=0`);
  heard = told.filter(({ event }) => event !== 'done').map((one) => ({ ...one, id: Number(one.id) }));
});
afterAll(() => Promise.all([system.stop(), shelf.close()]));

const complaints = (of: Partial<Clip> = {}, told = heard): Promise<string[]> =>
  judge(system, shelf, { id, clip: { ...CLIP, ...of } }, told);

async function stored(): Promise<string[]> {
  const { objects } = await (await system.bindings()).OUTPUT.list({ prefix: `${id}/` });
  return objects.map(({ key }) => key);
}

test('accepts a job that nothing has happened to', async () => {
  expect(await complaints()).toEqual([]);
});

test('notices that the video is not all of the clip', async () => {
  expect((await complaints({ seconds: 9 })).join()).toMatch(/segments in .*frames in /);
  expect(await complaints({ sound: false })).toEqual(['audio playlists: 1 instead of 0']);
});

test('notices that a watcher has missed something', async () => {
  expect(await complaints({}, heard.toSpliced(2, 1))).toHaveLength(1);
});

test('notices what is stored and named by nothing', async () => {
  const { OUTPUT } = await system.bindings();
  await OUTPUT.put(`${id}/144p/t9/1.m4s`, 'late');
  expect(await complaints()).toEqual(['nothing names what is stored as 144p/t9/1.m4s']);
  await OUTPUT.delete(`${id}/144p/t9/1.m4s`);
  expect(await complaints()).toEqual([]);
});

test('notices a segment that is not what was committed, and one that is gone', async () => {
  const { OUTPUT } = await system.bindings();
  const key = (await stored()).find((one) => one.includes('audio/') && one.endsWith('/1.m4s')) ?? '';
  await OUTPUT.put(key, 'something else');
  expect((await complaints()).join()).toContain('is not what was committed');
  await OUTPUT.delete(key);
  expect((await complaints()).join()).toContain('is answered with 404');
});

describe('of a log', () => {
  const entries = (...types: string[]): Entry[] =>
    types.map((type, i) => ({ seq: i + 1, type, at: 0, data: null }) as unknown as Entry);

  test('accepts one end at the end', () => {
    expect(logComplaints(entries('state', 'complete'))).toEqual([]);
  });

  test('notices two ends, no end, what comes after it, and a gap', () => {
    expect(logComplaints(entries('complete', 'complete'))).toHaveLength(1);
    expect(logComplaints(entries('state'))).toHaveLength(2);
    expect(logComplaints(entries('complete', 'state'))).toHaveLength(1);
    expect(logComplaints(entries('state', 'state', 'complete').toSpliced(1, 1))).toHaveLength(1);
  });
});
