import { describe, expect, it } from 'vitest';
import { avcCodec, levelFor, levelOfCodec } from '../../transcoder-node/media/levels.ts';

describe('H.264 levels', () => {
  it.each([
    ['16x16', 16, 16, 30, 0.4, 20],
    // 27 x 15 = 405 macroblocks: more than the 396 of level 2.
    ['240p', 426, 240, 30, 0.4, 21],
    // 22 x 18 = 396, exactly level 2, at 30 frames exactly its 11880 macroblocks a second.
    ['CIF at 30', 352, 288, 30, 0.4, 20],
    ['CIF at 31', 352, 288, 31, 0.4, 21],
    ['CIF with too much bitrate', 352, 288, 30, 2.6, 21],
    ['360p', 640, 360, 30, 0.8, 30],
    ['480p', 854, 480, 30, 1.4, 31],
    ['720p30', 1280, 720, 30, 2.8, 31],
    ['720p60', 1280, 720, 60, 2.8, 32],
    ['1080p30', 1920, 1080, 30, 5, 40],
    ['1080p60', 1920, 1080, 60, 5, 42],
    ['wide 1080', 2358, 1080, 30, 5, 50],
    ['beyond all levels', 8192, 8192, 60, 5, 52],
  ])('%s', (_, width, height, fps, mbps, expected) => {
    const maxrate = mbps * 1e6;
    expect(levelFor({ width, height, fps, maxrate, bufsize: maxrate })).toBe(expected);
  });

  it('is in the codec string in hexadecimal', () => {
    expect(avcCodec(40)).toBe('avc1.640028');
    expect(levelOfCodec('avc1.64001e')).toBe(30);
  });
});
