/**
 * What people get: hls.js and Shaka Player in a real Chromium, on the real edge and a real transcoder, while a job is
 * made and afterwards. Encoders keep a set pace, so "slower than real time" is that everywhere.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Playback } from '../../src/contract/job.ts';
import type { Told } from '../e2e/follow.ts';
import { System } from '../e2e/system.ts';
import { PacedTranscoder } from './paced.ts';
import type { PlayerName } from './page/api.ts';
import { HEIGHTS, isEncoded, isWell, PLAYERS, SECONDS, SIZE, Theatre } from './theatre.ts';
import { Timeline } from './timeline.ts';
import type { Viewer } from './viewer.ts';

/** A rung that encodes at half of real time, if it were listed, would stop a player for twice as long, again and again. */
const STALL = 2.5;

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
});
afterEach(() => theatre.empty());
afterAll(() => theatre.close());

/** The heights a `playable` names: rungs are called by them. */
const rungsOf = (details: unknown): number[] =>
  (details as { renditions: string[] }).renditions.map((name) => Number.parseInt(name, 10));

describe('a job with rungs that encode at half of real time', () => {
  let system: System;
  let transcoder: PacedTranscoder;
  let job: string;
  beforeAll(async () => {
    system = await System.start();
    transcoder = await PacedTranscoder.start(system.url, theatre.clips, { size: SIZE, top: 0.5, rest: 1.5 });
  });
  afterAll(async () => {
    await transcoder.stop();
    await system.stop();
  });

  const address = async (kind: 'hls' | 'dash' | 'storyboard'): Promise<string | null> => {
    const path = Playback.parse((await system.job(job)).playback)[kind];
    return path && system.url + path;
  };

  /** As our own player does: whenever the stream says that the master has more to offer, it is loaded again. */
  async function reload(player: PlayerName, viewer: Viewer, url: string, timeline: Timeline): Promise<void> {
    for (let known = (await viewer.state()).rungs.length; known < HEIGHTS.length; ) {
      const isMore = ({ event, data }: Told) => event === 'playable' && rungsOf(data.details).length > known;
      const rungs = rungsOf((await timeline.until(isMore)).data.details);
      const { time } = await viewer.state();
      await viewer.load(player, url, time);
      const after = await viewer.state();
      expect(after.rungs.length).toBeGreaterThanOrEqual(rungs.length);
      expect(Math.abs(after.time - time)).toBeLessThan(2);
      known = after.rungs.length;
    }
  }

  /** Watches from the first moment until all rungs are there. */
  async function watch(player: PlayerName, timeline: Timeline): Promise<void> {
    const viewer = await theatre.viewer();
    await timeline.until(({ event }) => event === 'playable');
    const url = (await address('hls')) ?? '';
    await viewer.load(player, url);
    const first = await viewer.until({ time: 2 });
    expect(timeline.has('complete')).toBe(false);
    expect(first.time).toBeLessThan(4);
    expect(first.audioBytes).toBeGreaterThan(0);
    const reloaded = reload(player, viewer, url, timeline);

    const jumps = async () => {
      await timeline.until(isEncoded(50));
      const edge = Math.min((await viewer.state()).edge, SECONDS - 3);
      expect(edge).toBeGreaterThan(4);
      await viewer.seek(edge);
      await viewer.until({ time: edge + 2 });
      await viewer.seek(1);
      await timeline.until(isEncoded(90));
      expect(timeline.has('complete')).toBe(false);
      await viewer.seek(1);
    };
    await Promise.all([jumps(), reloaded]);
    const { time } = await viewer.state();
    const last = await viewer.until({ time: time + 2 });
    expect(last.rungs).toEqual(HEIGHTS);
    expect(last.longestWait).toBeLessThan(STALL);
    await isWell(viewer);
  }

  test('plays while it is made, to the end of what is there, without a stall', async () => {
    job = await system.submit(theatre.clip);
    const timeline = new Timeline(system.url, job);
    await Promise.all(PLAYERS.map((player) => watch(player, timeline)));
    await timeline.ended;
    expect(timeline.has('complete')).toBe(true);
  }, 90_000);

  test.each<[PlayerName, 'hls' | 'dash']>([
    ['hls.js', 'hls'],
    ['Shaka Player', 'hls'],
    ['Shaka Player', 'dash'],
  ])('afterwards %s plays %s in every rung, from the start into the last segment to the end', async (player, kind) => {
    const viewer = await theatre.viewer();
    await viewer.load(player, (await address(kind)) ?? '');
    const { rungs, duration } = await viewer.until({ time: 1 });
    expect(rungs).toEqual(HEIGHTS);
    expect(Math.abs(duration - SECONDS)).toBeLessThan(0.1);
    for (const [index, height] of HEIGHTS.entries()) {
      await viewer.seek(4 * index + 2);
      await viewer.choose(height);
      await viewer.until({ height });
    }
    await viewer.seek(SECONDS - 2);
    const last = await viewer.until({ ended: true });
    expect(last.audioBytes).toBeGreaterThan(0);
    await isWell(viewer);
  });

  test('afterwards Shaka Player shows a thumbnail of every part from the storyboard', async () => {
    const storyboard = (await address('storyboard')) ?? '';
    const viewer = await theatre.viewer();
    await viewer.load('Shaka Player', (await address('hls')) ?? '');
    const thumbnails = await viewer.thumbnails(storyboard, [0, SECONDS / 2, SECONDS - 0.5]);
    for (const { x, y, width, height, sheet } of thumbnails) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.min(width, height)).toBeGreaterThan(0);
      expect(x + width).toBeLessThanOrEqual(sheet.width);
      expect(y + height).toBeLessThanOrEqual(sheet.height);
    }
    expect(new Set(thumbnails.map(({ x, y }) => `${x},${y}`)).size).toBe(thumbnails.length);
    await isWell(viewer);
  });
});
