/** How far the encoders say they are. */
import { expect, it } from 'vitest';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import type { MadeFrames } from '../../transcoder-node/media/starting.ts';
import { EncodeProgress } from '../../transcoder-node/task/progress.ts';

const rate = { num: 25, den: 1 };
const PLAN = makePlan({
  ...{ video: 0, audio: null, seekable: true, size: { width: 640, height: 360 }, interlaced: false, hdr: false },
  ...{ nominalRate: rate, averageRate: rate, end: 40, audioEnd: null, dropped: [] },
});

const began = (made: MadeFrames = new Map()) => new EncodeProgress(PLAN, PLAN.video, made, 2, 0);

it('a rung that goes on in the middle begins at its frames, and they are no part of its rate or of the time left', () => {
  const made = new Map([['360p', 500]]);
  const [fresh, resumed] = [began(), began(made)];
  expect(fresh.details().renditions.map(({ percent }) => percent)).toEqual([0, 0]);
  expect(resumed.details().renditions.map(({ percent }) => percent)).toEqual([0, 50]);
  fresh.frame('360p', 50);
  resumed.frame('360p', 550);
  for (const progress of [fresh, resumed]) progress.sample(1000);
  const of = (progress: EncodeProgress) => progress.details().renditions.find(({ name }) => name === '360p');
  expect(of(fresh)).toMatchObject({ percent: 5, fps: 50, speed: 2 });
  expect(of(resumed)).toMatchObject({ percent: 55, fps: 50, speed: 2 });
  expect(resumed.details().eta_seconds ?? 0).toBeLessThan(fresh.details().eta_seconds ?? 0);
});
