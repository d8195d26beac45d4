/** The progressive MP4, from renditions that went through the packager. */
import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remuxMp4 } from '../../transcoder-node/media/remux.ts';
import { Clips, QUICK, testPicture } from './clips.ts';
import { makeRungs } from './rungs.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

/** A white flash and a beep, both from second 3 to 4 of five; what is said about it is not to be passed on. */
const FLASH = [
  ...['-f', 'lavfi', '-i', "color=black:s=320x240:r=25:d=5,drawbox=c=white:t=fill:enable='between(t,2.99,3.99)'"],
  ...['-f', 'lavfi', '-i', "sine=f=1000:r=48000:d=5,volume='between(t,3,4)':eval=frame"],
  ...['-metadata', 'title=secret', '-metadata', 'location=secret', '-metadata:s:v', 'handler_name=secret', ...QUICK],
];

async function remux(name: string, video: string, audio: string | null): Promise<string> {
  const target = clips.path(name);
  const { binaries, folder } = clips;
  await remuxMp4({ binaries, video, audio, target, folder, signal: new AbortController().signal, nice: 0 });
  return target;
}

/** Types of the boxes at the top of the file, in order. */
function topBoxes(bytes: Buffer): string[] {
  const types: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at))
    types.push(bytes.toString('latin1', at + 4, at + 8));
  return types;
}

interface Described {
  readonly streams: Array<{ codec_name: string; start_time: string; nb_frames: string; nb_read_frames: string }>;
  readonly format: { duration: string };
}

async function describeFile(path: string): Promise<Described> {
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', path];
  const { stdout } = await execa(clips.binaries.ffprobe, args);
  return JSON.parse(stdout) as Described;
}

/** When something first appears in the decoded file, as a filter that logs its time sees it. */
async function firstTime(path: string, filters: string[], pattern: RegExp): Promise<number> {
  const { stderr } = await execa(clips.binaries.ffmpeg, ['-hide_banner', '-i', path, ...filters, '-f', 'null', '-']);
  return Number(pattern.exec(stderr)?.[1]);
}
const beep = (path: string): Promise<number> =>
  firstTime(path, ['-vn', '-af', 'silencedetect=n=-30dB:d=0.5'], /silence_end: ([\d.]+)/);
const flash = (path: string): Promise<number> =>
  firstTime(path, ['-an', '-vf', 'blackdetect=d=0.5'], /black_end:([\d.]+)/);

describe('the progressive MP4', () => {
  it('begins with its index, holds every frame, and picture and sound meet', async () => {
    const input = await clips.make('flash.mp4', ...FLASH);
    const rungs = await makeRungs(clips, 'flash', input);
    const path = await remux('video.mp4', rungs.file('240p'), rungs.file('audio'));
    const bytes = await readFile(path);

    const order = topBoxes(bytes).filter((type) => type === 'moov' || type === 'mdat');
    expect(order).toEqual(['moov', 'mdat']);
    expect(bytes.includes('secret')).toBe(false);
    expect((await readFile(input)).includes('secret')).toBe(true);

    const { streams, format } = await describeFile(path);
    expect(streams.map(({ codec_name, start_time }) => [codec_name, Number(start_time)])).toEqual([
      ['h264', 0],
      ['aac', 0],
    ]);
    expect(streams[0]).toMatchObject({ nb_frames: '125', nb_read_frames: '125' });
    expect(Number(format.duration)).toBeCloseTo(5, 1);
    expect(Math.abs((await flash(path)) - 3)).toBeLessThan(0.001);
    expect(Math.abs((await beep(path)) - 3)).toBeLessThan(0.03);
  });

  it('has no sound when there is none', async () => {
    const input = await clips.make('silent.mp4', ...testPicture('320x240', '25', 1), ...QUICK);
    const rungs = await makeRungs(clips, 'silent', input);
    const { streams } = await describeFile(await remux('mute.mp4', rungs.file('240p'), null));
    expect(streams.map(({ codec_name, nb_read_frames }) => [codec_name, nb_read_frames])).toEqual([['h264', '25']]);
  });

  it('fails as an encoder does when a rendition is not whole', async () => {
    const broken = clips.path('broken.mp4');
    await writeFile(broken, 'nothing');
    await expect(remux('never.mp4', broken, null)).rejects.toMatchObject({ code: 'encode_failed', retryable: true });
  });
});
