/** From a file to a stream that plays: the whole system on clips made here, its outputs checked by other people's tools. */
import { parse as parseHls, type types } from 'hls-parser';
import { parse as parseMpd } from 'mpd-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Clips, QUICK, testPicture, testTone } from '../transcoder/clips.ts';
import { follow } from './follow.ts';
import { System } from './system.ts';

let system: System;
let clips: Clips;
beforeAll(async () => {
  [system, clips] = await Promise.all([System.start(), Clips.open()]);
  await system.transcoder();
});
afterAll(() => Promise.all([system.stop(), clips.close()]));

const made = async (name: string, ...args: string[]): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await clips.read(await clips.make(name, ...args)));

async function bytes(id: string, path: string): Promise<Uint8Array> {
  const answer = await system.output(id, path);
  expect([path, answer.status]).toEqual([path, 200]);
  return new Uint8Array(await answer.arrayBuffer());
}

const text = async (id: string, path: string): Promise<string> => new TextDecoder().decode(await bytes(id, path));

/** All of a rendition in one file: its init segment and its segments, as the HLS playlist lists them. */
async function assemble(id: string, rendition: string): Promise<Uint8Array> {
  const playlist = parseHls(await text(id, `${rendition}/media.m3u8`)) as types.MediaPlaylist;
  expect(playlist.endlist).toBe(true);
  const uris = [playlist.segments[0]?.map?.uri ?? '', ...playlist.segments.map(({ uri }) => uri)];
  return Buffer.concat(await Promise.all(uris.map((uri) => bytes(id, `${rendition}/${uri}`))));
}

describe('a clip with sound', () => {
  let id: string;
  let told: Awaited<ReturnType<typeof follow>>;
  beforeAll(async () => {
    const clip = await made('sound.mp4', ...testPicture('512x288', '12', 9), ...testTone(9), ...QUICK, '-shortest');
    id = await system.submit(clip);
    told = await follow(`${system.url}/jobs/${id}/stream?last_event_id=0`);
  }, 60_000);

  test('is told from the first entry to the last, in order', () => {
    expect(told.at(-1)).toMatchObject({ event: 'complete', data: { status: 'completed', progress: 100 } });
    expect(told.at(-2)?.event).toBe('done');
    expect(new Set(told.map(({ event }) => event))).toEqual(
      new Set(['state', 'stage', 'progress', 'rendition', 'playable', 'done', 'complete']),
    );
    const progress = told.flatMap(({ data }) => data.progress ?? []);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(told.filter(({ event }) => event === 'stage').map(({ data }) => data.stage)).toEqual([
      'uploading',
      'transcoding',
      'validation',
      'packaging',
      'storage',
      'completed',
    ]);
  });

  test('has every frame of the source in every rendition, at its size', async () => {
    const { renditions } = await system.job(id);
    expect(renditions.map(({ name }) => name)).toEqual(['240p', '288p']);
    for (const { name, width, height, fps } of renditions) {
      const counted = await clips.count(await assemble(id, name));
      expect(counted).toMatchObject({ width, height });
      expect(Math.abs(counted.frames - 9 * fps)).toBeLessThanOrEqual(1);
    }
    expect((await clips.count(await assemble(id, 'audio'))).frames).toBeGreaterThan(9 * 46);
  });

  test('has HLS and DASH manifests that name the same segments, all of them stored', async () => {
    const master = parseHls(await text(id, 'master.m3u8')) as types.MasterPlaylist;
    const rungs = master.variants.filter(({ isIFrameOnly }) => !isIFrameOnly).map(({ uri }) => uri);
    expect(rungs).toEqual(['240p/media.m3u8', '288p/media.m3u8']);
    const base = `${system.url}/jobs/${id}/outputs/`;
    const mpd = parseMpd(await text(id, 'manifest.mpd'), { manifestUri: base });
    expect(mpd.duration).toBeCloseTo(9, 1);
    for (const [i, rung] of rungs.entries()) {
      const playlist = parseHls(await text(id, rung)) as types.MediaPlaylist;
      const hls = playlist.segments.map(({ uri }) => new URL(uri, `${base}${rung}`).href);
      expect(mpd.playlists[i]?.segments.map(({ resolvedUri }) => resolvedUri)).toEqual(hls);
      for (const address of hls) expect((await fetch(address, { method: 'HEAD' })).status).toBe(200);
    }
  });

  test('has an I-frame playlist of which every range begins a picture of its own', async () => {
    const playlist = parseHls(await text(id, '288p/iframes.m3u8')) as types.MediaPlaylist;
    expect(playlist.segments).toHaveLength(3);
    const init = await bytes(id, `288p/${playlist.segments[0]?.map?.uri}`);
    for (const { uri, byterange } of playlist.segments) {
      const { offset, length } = byterange ?? { offset: 0, length: 0 };
      const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
      const part = await fetch(`${system.url}/jobs/${id}/outputs/288p/${uri}`, { headers });
      expect(part.status).toBe(206);
      const whole = Buffer.concat([init, new Uint8Array(await part.arrayBuffer())]);
      expect((await clips.count(whole)).frames).toBe(1);
    }
  });
});

test('a silent portrait clip becomes a stream without audio, upright', async () => {
  const clip = await made('portrait.mov', ...testPicture('288x512', '12', 2), ...QUICK);
  const id = await system.submit(clip);
  expect((await follow(`${system.url}/jobs/${id}/stream`)).at(-1)?.event).toBe('complete');
  expect((await system.job(id)).renditions.map(({ name, width, height }) => [name, width, height])).toEqual([
    ['240p', 240, 426],
    ['288p', 288, 512],
  ]);
  expect(await text(id, 'master.m3u8')).not.toContain('AUDIO');
}, 60_000);

/** Those after the first end in their codes in test/transcoder/inputs.test.ts too. */
const NO_VIDEOS: [string, string, () => Promise<Uint8Array<ArrayBuffer>>][] = [
  ['random text', 'not_media', async () => new TextEncoder().encode('This is a letter to a friend. '.repeat(100))],
  ['a picture', 'not_media', () => made('picture.png', ...testPicture('64x64', '1', 1), '-frames:v', '1')],
  ['sound alone', 'no_video', () => made('sound.m4a', ...testTone(2), '-c:a', 'aac')],
  [
    'a file cut before its index',
    'truncated',
    async () => (await made('whole.mp4', ...testPicture('64x64', '10', 4), ...QUICK)).subarray(0, 4000),
  ],
];

describe('a file that is no video ends as an error with a code', () => {
  test.each(process.env.REELWIRE_LONG === '1' ? NO_VIDEOS : NO_VIDEOS.slice(0, 1))(
    '%s: %s',
    async (_, code, video) => {
      const id = await system.submit(await video());
      const end = (await follow(`${system.url}/jobs/${id}/stream`)).at(-1);
      expect(end).toMatchObject({ event: 'error', data: { status: 'failed', details: { code, retryable: false } } });
      expect(await system.job(id)).toMatchObject({
        status: 'failed',
        error: { code },
        error_message: expect.any(String),
      });
    },
    30_000,
  );
});
