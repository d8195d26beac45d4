/** A transcoder that is stopped in the middle and wakes up after its lease was taken changes nothing anybody can see. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DisturbingProxy } from '../faults/proxy.ts';
import { Clips, QUICK, testPicture, testTone } from '../transcoder/clips.ts';
import { follow } from './follow.ts';
import { System, Transcoder } from './system.ts';

let system: System;
let clips: Clips;
beforeAll(async () => {
  [system, clips] = await Promise.all([System.start({ LEASE_MS: '2000' }), Clips.open()]);
});
afterAll(() => Promise.all([system.stop(), clips.close()]));

/** So many requests after it has begun, a transcoder has stored some segments and not all of them. */
const REQUESTS = 8;

/** Everything that readers see of a job: its log, its manifests, and the bytes of every segment they name. */
async function visible(id: string): Promise<Record<string, string>> {
  const seen: Record<string, string> = {
    job: JSON.stringify(await system.job(id)),
    log: await (await fetch(`${system.url}/jobs/${id}/events?limit=1000`)).text(),
  };
  const read = async (path: string): Promise<string> => {
    const answer = await system.output(id, path);
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    seen[path] = `${answer.status} ${text}`;
    return text;
  };
  for (const path of ['master.m3u8', 'manifest.mpd']) await read(path);
  for (const { name } of [...(await system.job(id)).renditions, { name: 'audio' }]) {
    const playlist = await read(`${name}/media.m3u8`);
    for (const [uri] of playlist.matchAll(/t\d+\/[\w.]+/g)) await read(`${name}/${uri}`);
  }
  return seen;
}

test('SIGSTOP in the middle, another one finishes, SIGCONT', async ({ signal }) => {
  const args = [...testPicture('320x280', '10', 16), ...testTone(16), ...QUICK, '-shortest'];
  const clip = new Uint8Array(await clips.read(await clips.make('long.mp4', ...args)));
  const network = await DisturbingProxy.start(system.url, []);
  onTestFinished(() => network.close());
  const sleeper = await Transcoder.start(network.url);
  onTestFinished(() => sleeper.stop());
  const id = await system.submit(clip);
  await follow(`${system.url}/jobs/${id}/stream?last_event_id=0`, ({ data }) => data.stage === 'transcoding');
  await network.reached(network.requests + REQUESTS, signal);
  sleeper.process.kill('SIGSTOP');

  await system.transcoder();
  const told = await follow(`${system.url}/jobs/${id}/stream?last_event_id=0`);
  expect(told.at(-1)?.event).toBe('complete');
  const warnings = told.filter(({ event }) => event === 'warning').map(({ data }) => data.details);
  expect(warnings).toEqual([{ code: 'transcoder_lost' }]);

  const before = await visible(id);
  expect(Object.keys(before).length).toBeGreaterThan(20);
  sleeper.process.kill('SIGCONT');
  await sleeper.logged('"msg":"stopped"');
  expect(await visible(id)).toEqual(before);
}, 120_000);
