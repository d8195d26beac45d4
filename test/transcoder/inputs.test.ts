/**
 * Inputs that are odd, damaged or not videos at all. What is fine becomes renditions of the right shape and length with
 * all that belongs to them; the rest is refused by name. Each is made here, by the same helpers: the processed ones are
 * the control of the refused.
 */
import { truncate } from 'node:fs/promises';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { QUICK, testPicture, testTone } from './clips.ts';
import type { LoopbackJob } from './loopback-edge.ts';
import { BOTH, ODD, type Odd, PICTURE } from './odd-clips.ts';

const bed = testBed();
beforeEach(() => bed.start());

async function transcode(path: string): Promise<LoopbackJob> {
  const job = bed.edge.addJob(await bed.clips.read(path), null, { mp4: true });
  await bed.edge.until(() => job.finish);
  return job;
}

interface Shown {
  readonly shape: string;
  readonly aspect: string | undefined;
  readonly frames: number;
}

/** The best rung, or the audio, as ffprobe sees what was stored. */
async function look(job: LoopbackJob, name = job.plan?.video.at(-1)?.name ?? ''): Promise<Shown> {
  const segments = job.commits.filter(({ rendition, n }) => rendition === name && n > 0);
  const parts = ['init.mp4', ...segments.map(({ n }) => `${n}.m4s`)].map((part) => job.outputs.get(`${name}/${part}`));
  const path = await bed.clips.write('looked-at.mp4', Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))));
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', path];
  const { stdout } = await execa(bed.clips.binaries.ffprobe, args);
  const [stream] = (JSON.parse(stdout) as { streams: Array<Record<string, unknown>> }).streams;
  expect(stream?.side_data_list, 'rotation').toBeUndefined();
  return {
    shape: `${stream?.width}x${stream?.height}`,
    aspect: stream?.sample_aspect_ratio as string | undefined,
    frames: Number(stream?.nb_read_frames),
  };
}

function warningsOf(job: LoopbackJob): Array<{ code: string; details: Record<string, unknown> }> {
  const details = (given: object | null | undefined) => ({ ...given });
  return job.entries.flatMap((entry) =>
    entry.type === 'warning' ? [{ code: entry.code, details: details(entry.details) }] : [],
  );
}

const SUBTITLE = '1\n00:00:00,000 --> 00:00:01,000\nhello\n';

/** Everything that a finished job has, and that what is shown has the shape and length of the source. */
async function expectWhole(job: LoopbackJob, { shape = '320x240', frames = 25, sound = false }: Partial<Odd>) {
  expect(job.finish).toHaveProperty('result');
  const shown = await look(job);
  expect(shown).toMatchObject({ shape, aspect: '1:1' });
  expect(Math.abs(shown.frames - frames)).toBeLessThanOrEqual(1);
  expect(job.commits.some(({ rendition }) => rendition === 'audio')).toBe(sound);
  expect([...job.validated.keys()].toSorted()).toEqual(job.plan?.video.map(({ name }) => name).toSorted());
  for (const { mean } of job.validated.values()) expect(mean).toBeGreaterThan(70);
  expect([...job.artifacts.keys()].toSorted()).toEqual(['mp4', 'poster', 'storyboard']);
}

describe('processed', () => {
  it.each(ODD)('$row', async (odd) => {
    const job = await transcode(await bed.clips.make(odd.file, ...odd.make));
    await expectWhole(job, odd);
    expect(warningsOf(job)).toEqual([]);
  });

  it('turned by a display matrix', async () => {
    const flat = await bed.clips.make('flat.mp4', ...testPicture('426x240', '25', 1), ...QUICK);
    const turned = await bed.clips.make('turned.mp4', '-display_rotation:v:0', '90', '-i', flat, '-c', 'copy');
    await expectWhole(await transcode(turned), { shape: '240x426' });
  });

  it('sound that begins late stays late', async () => {
    const late = ['-itsoffset', '1', ...testTone(1)];
    const job = await transcode(
      await bed.clips.make('later.mp4', ...testPicture('320x240', '25', 2), ...late, ...QUICK),
    );
    const { frames } = await look(job, 'audio');
    expect((frames * 1024) / 48_000).toBeCloseTo(2, 1);
  });
});

/**
 * The lowest rung is made together with the sound, the others without, and then all are measured. In MPEG-TS picture
 * and sound begin at times of their own; a reader that takes only one of them counts from there.
 */
it('gives every rung of an MPEG-TS the same frames, although only one is made beside the sound', async () => {
  const late = ['-itsoffset', '0.4', ...testPicture('640x360', '25', 2)];
  const job = await transcode(await bed.clips.make('uneven.ts', ...late, ...testTone(2), ...QUICK));
  await expectWhole(job, { shape: '640x360', frames: 60, sound: true });
  expect((await look(job, '240p')).frames).toBe((await look(job, '360p')).frames);
  expect(warningsOf(job)).toEqual([]);
});

describe('processed with a warning', () => {
  it('further audio tracks and subtitles are left out, and named', async () => {
    const subtitle = await bed.clips.write('words.srt', SUBTITLE);
    const inputs = [...BOTH, ...testTone(1), '-i', subtitle, ...['0', '1', '2', '3'].flatMap((n) => ['-map', n])];
    const languages = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fra'];
    const path = await bed.clips.make(
      'tracks.mkv',
      ...inputs,
      ...QUICK,
      ...languages,
      '-metadata:s:s:0',
      'language=deu',
    );
    const job = await transcode(path);
    await expectWhole(job, { sound: true });
    expect(warningsOf(job)).toEqual([{ code: 'tracks_dropped', details: { tracks: ['audio fra', 'subtitle deu'] } }]);
  });

  it('less is in the file than its index promises', async () => {
    const job = await transcode(await cutAt('cut.mp4', 0.8));
    const [warning, ...more] = warningsOf(job);
    expect(more.filter(({ code }) => code !== 'decode_errors')).toEqual([]);
    expect(warning).toMatchObject({ code: 'incomplete_source', details: { promised_seconds: 5 } });
    const decoded_seconds = warning?.details.decoded_seconds;
    const { frames } = await look(job);
    expect(decoded_seconds).toBeCloseTo(frames / 25, 3);
    expect(decoded_seconds).toBeGreaterThan(2.5);
    expect(decoded_seconds).toBeLessThan(4.9);
    await expectWhole(job, { frames });
  });

  it('damage in the middle is counted', async () => {
    const path = await bed.clips.make('damaged.mp4', ...testPicture('320x240', '25', 4), ...QUICK, '-g', '25');
    const bytes = await bed.clips.read(path);
    const middle = bytes.indexOf('mdat') + Math.floor(bytes.length / 2);
    for (let at = middle; at < middle + 4000; at += 7) bytes[at] = (bytes[at] ?? 0) ^ 0x5a;
    const job = await transcode(await bed.clips.write('damaged.mp4', bytes));
    await expectWhole(job, { frames: 100 });
    const [warning] = warningsOf(job);
    expect(warning?.code).toBe('decode_errors');
    expect(warning?.details.count).toBeGreaterThan(0);
    expect(warning?.details.count).toBeLessThan(100);
  });
});

/** A clip of five seconds whose index comes first, of which only the given share arrived. */
async function cutAt(name: string, share: number): Promise<string> {
  const path = await bed.clips.make(name, ...testPicture('320x240', '25', 5), ...QUICK, '-movflags', '+faststart');
  await truncate(path, Math.floor((await bed.clips.read(path)).length * share));
  return path;
}

describe('refused', () => {
  const black = (size: string) => ['-f', 'lavfi', '-i', `color=s=${size}:r=1`, '-frames:v', '1', '-c:v', 'mjpeg'];
  const slow = (hours: number) => ['-f', 'lavfi', '-i', `color=s=16x16:r=1/3600:d=${hours * 3600}`, '-c:v', 'mjpeg'];
  const noise = Buffer.from(Uint8Array.from({ length: 20_000 }, (_, n) => (n * n * 2654435761) >>> 13));

  it.each<[string, string, () => Promise<string>]>([
    ['audio only', 'no_video', () => bed.clips.make('sound.mp4', ...testTone(1), ...QUICK)],
    ['audio only, as mp3', 'no_video', () => bed.clips.make('sound.mp3', ...testTone(1))],
    ['an empty file', 'empty_file', () => bed.clips.write('empty.mp4', '')],
    ['text', 'not_media', () => bed.clips.write('text.mp4', 'just a few words\n'.repeat(200))],
    ['random bytes', 'not_media', () => bed.clips.write('noise.mp4', noise)],
    [
      'random bytes behind the head of an mp4: it has no index',
      'truncated',
      () => bed.clips.write('head.mp4', Buffer.concat([Buffer.from('\0\0\0\x10ftypisom\0\0\0\0', 'latin1'), noise])),
    ],
    ['a PNG', 'not_media', () => bed.clips.make('picture.png', ...PICTURE, '-frames:v', '1')],
    ['a JPEG', 'not_media', () => bed.clips.make('picture.jpg', ...PICTURE, '-frames:v', '1')],
    ['a GIF', 'not_media', () => bed.clips.make('picture.gif', ...PICTURE, '-frames:v', '1')],
    ['12000x9000', 'too_large', () => bed.clips.make('huge.mkv', ...black('12000x9000'), '-q:v', '31')],
    ['25 hours', 'too_long', () => bed.clips.make('long.mkv', ...slow(25))],
    ['an index that never arrived', 'truncated', () => indexless()],
    ['less than half of what was promised', 'truncated', () => cutAt('stump.mp4', 0.3)],
  ])('%s', async (_, code, make) => {
    const job = await transcode(await make());
    expect(job.finish).toMatchObject({ error: { code, retryable: false } });
    expect(job.artifacts.size).toBe(0);
  });

  async function indexless(): Promise<string> {
    const path = await bed.clips.make('late-index.mp4', ...testPicture('320x240', '25', 3), ...QUICK);
    await truncate(path, Math.floor((await bed.clips.read(path)).length / 2));
    return path;
  }
});
