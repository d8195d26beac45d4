import { describe, expect, it } from 'vitest';
import { ladder } from '../../transcoder-node/media/ladder.ts';

const rungs = (width: number, height: number) =>
  ladder({ width, height }).map((rung) => `${rung.width}x${rung.height}`);

describe('the ladder', () => {
  // Boundaries by hand: a rung r is given from a short side of r/1.02 on; an extra one above 1.15 times the top rung.
  it.each([
    ['16x16 keeps its size', 16, 16, ['16x16']],
    ['odd and tiny becomes even', 15, 9, ['16x10']],
    ['a single pixel', 1, 1, ['2x2']],
    ['234 is below 240/1.02', 416, 234, ['416x234']],
    ['236 is above 240/1.02', 420, 236, ['428x240']],
    ['240 exactly', 426, 240, ['426x240']],
    ['276 is 15 % above 240', 490, 276, ['426x240']],
    ['278 is more', 494, 278, ['426x240', '494x278']],
    ['352 is below 360/1.02', 626, 352, ['426x240', '626x352']],
    ['354 is above 360/1.02', 630, 354, ['428x240', '640x360']],
    ['VGA', 640, 480, ['320x240', '480x360', '640x480']],
    ['900', 1600, 900, ['426x240', '640x360', '854x480', '1280x720', '1600x900']],
    ['full HD', 1920, 1080, ['426x240', '640x360', '854x480', '1280x720', '1920x1080']],
    ['4K ends at 1080', 3840, 2160, ['426x240', '640x360', '854x480', '1280x720', '1920x1080']],
    ['portrait', 720, 1280, ['240x426', '360x640', '480x854', '720x1280']],
    ['square', 500, 500, ['240x240', '360x360', '480x480']],
  ])('%s', (_, width, height, expected) => {
    expect(rungs(width, height)).toEqual(expected);
  });

  it('names rungs by the short side', () => {
    expect(ladder({ width: 720, height: 1280 }).map(({ name }) => name)).toEqual(['240p', '360p', '480p', '720p']);
  });

  it.each([
    [100, 400_000],
    [240, 400_000],
    [360, 800_000],
    [480, 1_400_000],
    [720, 2_800_000],
    [1080, 5_000_000],
    // Half way between 720 and 1080 by area is sqrt((720^2 + 1080^2) / 2) = 918 lines: 3.9 Mbit/s.
    [918, 3_900_000],
  ])('a short side of %i has a peak rate of %i bit/s', (short, maxrate) => {
    expect(ladder({ width: short * 2, height: short }).at(-1)?.maxrate).toBe(maxrate);
  });
});
