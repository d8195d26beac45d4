/** ffmpeg and the packager side by side, without an edge. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import HLS from 'hls-parser';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/contract/job.ts';
import { STALL_MS } from '../../transcoder-node/limits.ts';
import { isWholeInit, segmentDuration, unifiedInit } from '../../transcoder-node/media/mp4.ts';
import { MASTER_NAME } from '../../transcoder-node/media/packager-args.ts';
import { runPair } from '../../transcoder-node/media/pair.ts';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import { PlaylistTail } from '../../transcoder-node/media/playlist.ts';
import { probe } from '../../transcoder-node/media/probe.ts';
import { FROM_THE_BEGINNING } from '../../transcoder-node/media/starting.ts';
import { Watchdog } from '../../transcoder-node/media/watchdog.ts';
import { Clips, QUICK, testPicture, testTone } from './clips.ts';
import { eventually, toolsIn } from './harness.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

interface Started {
  readonly plan: Plan;
  readonly folder: string;
  readonly done: Promise<unknown>;
}

async function start(name: string, input: string, signal = new AbortController().signal): Promise<Started> {
  const { binaries } = clips;
  const folder = clips.path(name);
  await mkdir(folder);
  const source = await probe(input, { binaries, folder, signal });
  const plan = makePlan(source);
  const log = pino({ level: 'silent' });
  const watchdog = new Watchdog(STALL_MS);
  const done = runPair({
    binaries,
    plan,
    source,
    input,
    start: FROM_THE_BEGINNING,
    references: [],
    folder,
    nice: 0,
    signal,
    log,
    watchdog,
    onFrame: () => undefined,
  }).finally(() => watchdog.stop());
  return { plan, folder, done };
}

describe('a pair', () => {
  it('makes what the plan said it would, and an init that does not depend on when it is read', async () => {
    const input = await clips.make('input.mp4', ...testPicture('854x480', '30', 8), ...testTone(8), ...QUICK);
    const { plan, folder, done } = await start('whole', input);
    const names = [...plan.video.map(({ name }) => name), 'audio'];
    const inits = async () => {
      const bytes = await Promise.all(names.map((name) => readFile(join(folder, name, 'init.mp4'))));
      return bytes.map((init) => isWholeInit(init) && unifiedInit(init, plan.duration));
    };
    const tails = names.map((name) => new PlaylistTail(folder, name, name === 'audio' ? 'audio' : 'video'));
    for (const tail of tails) await eventually(async () => (await tail.next()).length > 0);
    const early = await inits();
    await done;
    expect(await inits()).toEqual(early);

    const master = HLS.parse(await readFile(join(folder, MASTER_NAME), 'utf8'));
    if (!('variants' in master)) throw new Error('no master playlist');
    const seen = master.variants
      .filter(({ isIFrameOnly }) => !isIFrameOnly)
      .map(({ codecs, resolution }) => [resolution, codecs]);
    const planned = plan.video.map(({ width, height, codecs }) => [
      { width, height },
      `${codecs},${plan.audio?.codecs}`,
    ]);
    expect(seen).toEqual(expect.arrayContaining(planned));
    expect(seen).toHaveLength(planned.length);
    expect(segmentDuration(await readFile(join(folder, '240p/1.m4s')))).toBe(plan.segment_seconds);
  });

  it('dies at once when it is aborted', async () => {
    await clips.long();
    const abort = new AbortController();
    const { folder, done } = await start('aborted', clips.path('long.mp4'), abort.signal);
    await eventually(async () => (await toolsIn(folder)).length === 2);
    abort.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
    expect(await toolsIn(folder)).toEqual([]);
  });
});
