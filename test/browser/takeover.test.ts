/** kill -9 of the transcoder in the middle of a job: another one takes over, and those who watch only see it wait. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { System } from '../e2e/system.ts';
import { PacedTranscoder } from './paced.ts';
import { isEncoded, isWell, PLAYERS, SECONDS, SIZE, Theatre } from './theatre.ts';
import { Timeline } from './timeline.ts';

let theatre: Theatre;
let system: System;
const transcoders: PacedTranscoder[] = [];
const join = async (): Promise<PacedTranscoder> => {
  const pace = { size: SIZE, top: 2, rest: 3 };
  const transcoder = await PacedTranscoder.start(system.url, theatre.clips, pace);
  transcoders.push(transcoder);
  return transcoder;
};
beforeAll(async () => {
  [theatre, system] = await Promise.all([Theatre.open(), System.start({ LEASE_MS: '3000' })]);
});
afterAll(async () => {
  await Promise.all(transcoders.map((transcoder) => transcoder.stop()));
  await Promise.all([system.stop(), theatre.close()]);
});

test('a transcoder that is killed while people watch is replaced, and their players go on to the end', async () => {
  const killed = await join();
  const job = await system.submit(theatre.clip);
  const timeline = new Timeline(system.url, job);
  const watching = await Promise.all(PLAYERS.map(async (player) => ({ player, viewer: await theatre.viewer() })));
  await timeline.until(({ event }) => event === 'playable');
  const url = `${system.url}${(await system.job(job)).playback.hls}`;
  await Promise.all(
    watching.map(async ({ player, viewer }) => {
      await viewer.load(player, url);
      await viewer.until({ time: 1 });
    }),
  );
  await timeline.until(isEncoded(40));
  await killed.kill();
  expect(timeline.has('complete')).toBe(false);

  await join();
  await Promise.all(watching.map(({ viewer }) => viewer.until({ ended: true }, 60)));
  await timeline.ended;
  const warnings = timeline.told.filter(({ event }) => event === 'warning').map(({ data }) => data.details);
  expect(warnings).toEqual([{ code: 'transcoder_lost' }]);
  for (const { viewer } of watching) {
    expect((await viewer.state()).time).toBeGreaterThan(SECONDS - 0.2);
    await isWell(viewer);
  }
}, 90_000);
