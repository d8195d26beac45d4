/** Every reject has a neighbour that is accepted, made the same way. */
import { readFile, truncate } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TaskFailure } from '../../transcoder-node/errors.ts';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import { probe, type Source } from '../../transcoder-node/media/probe.ts';
import { Clips, QUICK, testPicture, testTone } from './clips.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

const look = (path: string): Promise<Source> =>
  probe(path, { binaries: clips.binaries, folder: clips.folder, signal: new AbortController().signal });

const codeOf = (path: string): Promise<string> =>
  look(path).then(
    () => 'accepted',
    (error: unknown) => (error instanceof TaskFailure ? error.code : String(error)),
  );

const SECOND = testPicture('320x240', '25', 1);

describe('what is not a video', () => {
  it('accepts the clip that the others are made like', async () => {
    expect(await codeOf(await clips.make('good.mp4', ...SECOND, ...testTone(1), ...QUICK))).toBe('accepted');
  });

  it('is named', async () => {
    expect(await codeOf(await clips.make('sound.mp4', ...testTone(1), ...QUICK))).toBe('no_video');
    expect(await codeOf(await clips.make('sound.mp3', ...testTone(1)))).toBe('no_video');
    expect(await codeOf(await clips.write('empty.mp4', ''))).toBe('empty_file');
    expect(await codeOf(await clips.write('text.mp4', 'just a few words\n'.repeat(200)))).toBe('not_media');
    expect(await codeOf(await clips.make('picture.png', ...SECOND, '-frames:v', '1'))).toBe('not_media');
    expect(await codeOf(await clips.make('picture.jpg', ...SECOND, '-frames:v', '1'))).toBe('not_media');
  });

  it('is an mp3 with a cover, although the cover is a video stream', async () => {
    const cover = await clips.make('cover.png', ...SECOND, '-frames:v', '1');
    const args = [...testTone(1), '-i', cover, '-map', '0', '-map', '1', '-disposition:v', 'attached_pic'];
    expect(await codeOf(await clips.make('covered.mp3', ...args))).toBe('no_video');
  });

  it('is an mp4 whose index never arrived, but not one whose index comes first', async () => {
    const late = await clips.make('late.mp4', ...testPicture('320x240', '25', 3), ...QUICK);
    const early = await clips.make(
      'early.mp4',
      ...testPicture('320x240', '25', 3),
      ...QUICK,
      '-movflags',
      '+faststart',
    );
    for (const path of [late, early]) await truncate(path, Math.floor((await readFile(path)).length / 2));
    expect(await codeOf(late)).toBe('truncated');
    expect(await codeOf(early)).toBe('accepted');
  });
});

describe('limits', () => {
  it('refuses a picture above the limit, and takes one below it', async () => {
    const mjpeg = ['-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '31'];
    const black = (size: string) => ['-f', 'lavfi', '-i', `color=s=${size}:r=1`];
    expect(await codeOf(await clips.make('huge.mkv', ...black('12000x9000'), ...mjpeg))).toBe('too_large');
    expect(await codeOf(await clips.make('large.mkv', ...black('8192x4320'), ...mjpeg))).toBe('accepted');
  });

  it('refuses more than a day, and takes less', async () => {
    const slow = (hours: number) => ['-f', 'lavfi', '-i', `color=s=16x16:r=1/3600:d=${hours * 3600}`, '-c:v', 'mjpeg'];
    expect(await codeOf(await clips.make('long.mkv', ...slow(25)))).toBe('too_long');
    expect(await codeOf(await clips.make('day.mkv', ...slow(23)))).toBe('accepted');
  });
});

describe('what the plan is made from', () => {
  it('has the size that is shown: square pixels, rotated', async () => {
    const wide = await clips.make('wide.mp4', ...SECOND, '-vf', 'setsar=2/1', ...QUICK);
    expect((await look(wide)).size).toEqual({ width: 640, height: 240 });
    const turned = await clips.make('turned.mp4', '-display_rotation:v:0', '90', '-i', wide, '-c', 'copy');
    expect((await look(turned)).size).toEqual({ width: 240, height: 640 });
  });

  it('takes the default audio track and names the ones left out', async () => {
    const args = [...SECOND, ...testTone(1), ...testTone(1), '-map', '0', '-map', '1', '-map', '2', ...QUICK];
    const tracks = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fra'];
    const source = await look(
      await clips.make('tracks.mkv', ...args, ...tracks, '-disposition:a:0', '0', '-disposition:a:1', 'default'),
    );
    expect(source.audio).toBe(2);
    expect(source.dropped).toEqual(['audio eng']);
  });

  it('measures a file that does not state how long it is', async () => {
    const source = await look(
      await clips.make('live.webm', ...testPicture('64x64', '25', 2), '-c:v', 'vp8', '-live', '1'),
    );
    expect(source.end).toBeCloseTo(2, 1);
  });

  it('reads MPEG-TS, on which this ffprobe is fragile', async () => {
    const source = await look(await clips.make('stream.ts', ...SECOND, ...testTone(1), ...QUICK));
    expect(source.end).toBeCloseTo(1, 0);
    expect(source.audio).not.toBeNull();
  });

  it('halves the rate of small rungs above 31 frames a second, on one grid', async () => {
    const plan = makePlan(await look(await clips.make('fast.mp4', ...testPicture('1280x720', '60', 0.5), ...QUICK)));
    expect(plan.video.map(({ name, fps, gop }) => [name, fps.num / fps.den, gop])).toEqual([
      ['240p', 30, 120],
      ['360p', 30, 120],
      ['480p', 30, 120],
      ['720p', 60, 240],
    ]);
    expect(plan.segment_seconds).toBe(4);
    expect(plan.audio).toBeNull();
  });

  it('says in the filters what the source needs', async () => {
    const hdr = ['-color_trc', 'smpte2084', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc'];
    const pq = await clips.make('hdr.mp4', ...SECOND, '-c:v', 'libx265', '-x265-params', 'log-level=none', ...hdr);
    expect(makePlan(await look(pq)).filters).toMatch(/zscale=t=linear.*tonemap.*,fps=25\/1:start_time=0$/);
    const fields = await clips.make('fields.mp4', ...SECOND, '-vf', 'setfield=tff', '-flags', '+ilme+ildct', ...QUICK);
    expect(makePlan(await look(fields)).filters).toMatch(/^bwdif=.*,fps=25\/1:start_time=0$/);
    expect(makePlan(await look(await clips.make('plain.mp4', ...SECOND, ...QUICK))).filters).toBe(
      'fps=25/1:start_time=0',
    );
  });
});
