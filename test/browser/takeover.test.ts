/**
 * kill -9 in the middle of a job, of the transcoder or of a tool of its: another attempt takes over, and those who watch
 * only see it wait.
 */
import { basename } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { System } from '../e2e/system.ts';
import { toolsIn } from '../transcoder/harness.ts';
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
afterEach(async () => {
  await Promise.all(transcoders.splice(0).map((transcoder) => transcoder.stop()));
  await theatre.empty();
});
afterAll(async () => {
  await Promise.all([system.stop(), theatre.close()]);
});

type Victim = 'transcoder' | 'ffmpeg' | 'packager';

/** Resolves when the job can go on: a tool's transcoder tries again by itself, a dead transcoder needs another. */
async function kill(victim: Victim, transcoder: PacedTranscoder): Promise<void> {
  if (victim === 'transcoder') {
    await transcoder.kill();
    await join();
    return;
  }
  const tool = (await toolsIn(transcoder.folder)).find(({ exe }) => basename(exe).startsWith(victim));
  if (!tool) throw new Error(`no ${victim} is running`);
  process.kill(tool.pid, 'SIGKILL');
}

const TOOLS: [Victim, string][] = [
  ['ffmpeg', 'attempt_failed'],
  ['packager', 'attempt_failed'],
];

test.each<[Victim, string]>([['transcoder', 'transcoder_lost'], ...(process.env.REELWIRE_LONG === '1' ? TOOLS : [])])(
  'a %s that is killed while people watch is replaced, and their players go on to the end',
  async (victim, code) => {
    const transcoder = await join();
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
    await kill(victim, transcoder);
    expect(timeline.has('complete')).toBe(false);

    await Promise.all(watching.map(({ viewer }) => viewer.until({ ended: true }, 60)));
    await timeline.ended;
    const warnings = timeline.told.filter(({ event }) => event === 'warning').map(({ data }) => data.details);
    expect(warnings).toMatchObject([{ code }]);
    for (const { viewer } of watching) {
      expect((await viewer.state()).time).toBeGreaterThan(SECONDS - 0.2);
      await isWell(viewer);
    }
  },
  180_000,
);
