/** Inputs that are unusual and fine: each becomes renditions of the right length and shape. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clips, QUICK, testPicture, testTone } from './clips.ts';
import { Harness } from './harness.ts';
import { LoopbackEdge } from './loopback-edge.ts';

let clips: Clips;
let edge: LoopbackEdge;
let transcoder: Harness;

beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());
beforeEach(async () => {
  edge = await LoopbackEdge.start();
  transcoder = await Harness.start(edge.url, clips.binaries);
});
afterEach(async () => {
  await transcoder.stop();
  await edge.close();
  expect(edge.violations).toEqual([]);
});

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const HDR = ['-color_trc', 'smpte2084', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-pix_fmt', 'yuv420p10le'];
const SOUND_51 = ['-f', 'lavfi', '-i', 'anoisesrc=d=1:a=0.1,aformat=channel_layouts=5.1'];

interface Odd {
  readonly name: string;
  readonly make: string[];
  readonly frames: number;
  readonly size: string;
  readonly audio?: boolean;
}

const ODD: Odd[] = [
  {
    name: 'odd.mp4',
    make: [...testPicture('321x241', '25', 1), ...X264, '-pix_fmt', 'yuv444p'],
    frames: 25,
    size: '320x240',
  },
  { name: 'tiny.mp4', make: [...testPicture('16x16', '25', 1), ...QUICK], frames: 25, size: '16x16' },
  {
    name: 'one.mp4',
    make: [...testPicture('320x240', '25', 1), '-frames:v', '1', ...QUICK],
    frames: 1,
    size: '320x240',
  },
  { name: 'pq.mp4', make: [...testPicture('320x240', '25', 1), ...X265, ...HDR], frames: 25, size: '320x240' },
  {
    name: 'wide.mp4',
    make: [...testPicture('320x240', '25', 1), '-vf', 'setsar=2', ...QUICK],
    frames: 25,
    size: '640x240',
  },
  { name: 'fast.mp4', make: [...testPicture('320x240', '120', 1), ...QUICK], frames: 30, size: '320x240' },
  {
    name: 'alpha.webm',
    make: [...testPicture('320x240', '25', 1), '-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p'],
    frames: 25,
    size: '320x240',
  },
  {
    name: 'live.webm',
    make: [...testPicture('320x240', '25', 1), '-c:v', 'vp8', '-live', '1'],
    frames: 25,
    size: '320x240',
  },
  {
    name: 'old.avi',
    make: [...testPicture('320x240', '25', 1), ...testTone(1), '-c:v', 'mpeg4', '-c:a', 'mp3'],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'old.flv',
    make: [...testPicture('320x240', '25', 1), ...testTone(1), '-c:v', 'flv', '-ar', '44100'],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'old.wmv',
    make: [...testPicture('320x240', '25', 1), ...testTone(1), '-c:v', 'wmv2', '-c:a', 'wmav2'],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'old.mpg',
    make: [...testPicture('320x240', '25', 1), ...testTone(1)],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'stream.ts',
    make: [...testPicture('320x240', '25', 1), ...testTone(1), ...QUICK],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'theora.ogv',
    make: [...testPicture('320x240', '25', 1), ...testTone(1), '-c:v', 'libtheora', '-c:a', 'libvorbis'],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'six.mkv',
    make: [...testPicture('320x240', '25', 1), ...SOUND_51, ...QUICK],
    frames: 25,
    size: '320x240',
    audio: true,
  },
  {
    name: 'late.mov',
    make: [...testPicture('320x240', '25', 2), '-itsoffset', '1', ...testTone(1), ...QUICK],
    frames: 50,
    size: '320x240',
    audio: true,
  },
  {
    name: 'fields.mp4',
    make: [...testPicture('320x240', '25', 1), '-vf', 'setfield=tff', '-flags', '+ilme+ildct', ...QUICK],
    frames: 25,
    size: '320x240',
  },
];

describe('processed', () => {
  it.each(ODD)('$name', async ({ name, make, frames, size, audio }) => {
    const job = edge.addJob(await clips.read(await clips.make(name, ...make)));
    await edge.until(() => job.finish);
    expect(job.finish).toHaveProperty('result');
    const rung = job.plan?.video.at(-1)?.name ?? '';
    const parts = [...job.outputs]
      .filter(([path]) => path.startsWith(`${rung}/`))
      .toSorted(([a], [b]) => (a < b ? 1 : -1));
    const counted = await clips.count(Buffer.concat(parts.map(([, bytes]) => bytes)));
    expect(`${counted.width}x${counted.height}`).toBe(size);
    expect(Math.abs(counted.frames - frames)).toBeLessThanOrEqual(1);
    expect(job.commits.some(({ rendition }) => rendition === 'audio')).toBe(audio ?? false);
  });
});
