/** Manifests, read back by parsers that players use. */
import { parse as parseHls, type types } from 'hls-parser';
import { parse as parseMpd } from 'mpd-parser';
import { describe, expect, test } from 'vitest';
import { outputs } from '../../src/durable/job/outputs.ts';
import { iframes, master, media } from '../../src/worker/manifests/hls.ts';
import { mpd } from '../../src/worker/manifests/mpd.ts';
import { CREATE, commit, commits, JobModel, PLAN } from './commands.ts';

/** A finished job whose first segments come from a first, lost lease. */
function twoTakes(firstContent: string): JobModel {
  const model = new JobModel();
  model.run(CREATE);
  const first = model.lease('r1');
  model.run({
    type: 'report',
    lease: first,
    entries: [{ type: 'plan', plan: PLAN }],
    commits: commits(0, 1, firstContent),
  });
  model.run({ type: 'expire', lease: first });
  model.work('r2', 'b');
  return model;
}

function oneTake(): JobModel {
  const model = new JobModel();
  model.run(CREATE);
  model.work('r1');
  return model;
}

const mediaPlaylist = (text: string): types.MediaPlaylist => {
  const playlist = parseHls(text);
  if (playlist.isMasterPlaylist) throw new Error('expected a media playlist');
  return playlist as types.MediaPlaylist;
};

describe('HLS', () => {
  test('the master names every rung with what it needs, and the audio', () => {
    const playlist = parseHls(master(outputs(oneTake().job, true))) as types.MasterPlaylist;
    expect(playlist.independentSegments).toBe(true);
    const variants = playlist.variants.filter(({ isIFrameOnly }) => !isIFrameOnly);
    expect(variants.map(({ uri, codecs, resolution, frameRate }) => ({ uri, codecs, resolution, frameRate }))).toEqual([
      {
        uri: '360p/media.m3u8',
        codecs: 'avc1.64001f,mp4a.40.2',
        resolution: { width: 640, height: 360 },
        frameRate: 30,
      },
      {
        uri: '720p/media.m3u8',
        codecs: 'avc1.64001f,mp4a.40.2',
        resolution: { width: 1280, height: 720 },
        frameRate: 30,
      },
    ]);
    expect(playlist.variants.filter(({ isIFrameOnly }) => isIFrameOnly).map(({ uri }) => uri)).toEqual([
      '360p/iframes.m3u8',
      '720p/iframes.m3u8',
    ]);
    expect(variants[0]?.audio[0]).toMatchObject({ uri: 'audio/media.m3u8', channels: '2', isDefault: true });
  });

  test('bandwidths of whole rungs are measured: peak over the largest segment, average over all', () => {
    const playlist = parseHls(master(outputs(oneTake().job, true))) as types.MasterPlaylist;
    const [lowest] = playlist.variants;
    expect(lowest?.bandwidth).toBe(2 * Math.ceil((1003 * 8) / 4));
    expect(lowest?.averageBandwidth).toBe(2 * Math.ceil(((1001 + 1002 + 1003) * 8) / 12));
  });

  test('the peak counts a short last segment together with the one before it', () => {
    const model = new JobModel();
    model.run(CREATE);
    const lease = model.lease('r1');
    const last = { ...commit('audio', 2), duration: 0.1, bytes: 10_000 };
    model.run({
      type: 'report',
      lease,
      entries: [{ type: 'plan', plan: PLAN }],
      commits: [commit('audio', 0), commit('audio', 1), last],
    });
    const view = outputs(model.job, true);
    const whole = { ...view, renditions: { ...view.renditions, audio: { ...view.renditions.audio, whole: [] } } };
    const text = master({ ...whole, listed: ['360p'] } as typeof view);
    expect(text).toContain(`BANDWIDTH=${800_000 + Math.ceil(((1001 + 10_000) * 8) / 4.1)},`);
  });

  test('while the job runs a playlist is EVENT, ended once its rendition is whole; closed it is VOD', () => {
    const begun = new JobModel();
    begun.run(CREATE);
    const lease = begun.lease('r1');
    begun.run({ type: 'report', lease, entries: [{ type: 'plan', plan: PLAN }], commits: commits(0, 2) });
    const running = mediaPlaylist(media(outputs(begun.job), '360p', false));
    expect(running).toMatchObject({ playlistType: 'EVENT', endlist: false, targetDuration: 4 });
    const whole = mediaPlaylist(media(outputs(oneTake().job), '360p', false));
    expect(whole).toMatchObject({ playlistType: 'EVENT', endlist: true });
    const closed = mediaPlaylist(media(outputs(oneTake().job), '360p', true));
    expect(closed).toMatchObject({ playlistType: 'VOD', endlist: true });
    expect(closed.segments.map(({ uri, duration }) => [uri, duration])).toEqual([
      ['t1/1.m4s', 4],
      ['t1/2.m4s', 4],
      ['t1/3.m4s', 4],
    ]);
    expect(closed.segments.map(({ map }) => map?.uri)).toEqual(['t1/init.mp4', 't1/init.mp4', 't1/init.mp4']);
  });

  test('where the take changes and the init segments differ, a new map is named', () => {
    const { segments } = mediaPlaylist(media(outputs(twoTakes('a').job, true), '360p', true));
    expect(segments.map(({ uri, map }) => [map?.uri, uri])).toEqual([
      ['t1/init.mp4', 't1/1.m4s'],
      ['t2/init.mp4', 't2/2.m4s'],
      ['t2/init.mp4', 't2/3.m4s'],
    ]);
    expect(segments.every(({ discontinuity }) => !discontinuity)).toBe(true);
  });

  test('where the take changes and the init segments are equal, the first map serves both', () => {
    const { segments } = mediaPlaylist(media(outputs(twoTakes('b').job, true), '360p', true));
    expect(segments.map(({ uri, map }) => [map?.uri, uri])).toEqual([
      ['t1/init.mp4', 't1/1.m4s'],
      ['t1/init.mp4', 't2/2.m4s'],
      ['t1/init.mp4', 't2/3.m4s'],
    ]);
  });

  test('the I-frame playlist gives the byte range of each keyframe', () => {
    const playlist = mediaPlaylist(iframes(outputs(oneTake().job, true), '720p', true));
    expect(playlist.isIFrame).toBe(true);
    expect(playlist.segments.map(({ uri, byterange }) => [uri, byterange])).toEqual(
      [1, 2, 3].map((n) => [`t1/${n}.m4s`, { offset: 100, length: 400 }]),
    );
  });

  test('a listed playlist stops three segments after the shortest unfinished one, and never at a gap', () => {
    const model = new JobModel();
    model.run(CREATE);
    const lease = model.lease('r1');
    const many = [1, 2, 3, 4, 5, 6, 7, 9].map((n) => commit('360p', n));
    model.run({
      type: 'report',
      lease,
      entries: [{ type: 'plan', plan: PLAN }],
      commits: [...many, commit('360p', 0), commit('audio', 0), commit('audio', 1)],
    });
    expect(outputs(model.job).renditions['360p']?.published).toHaveLength(1 + 3);
    expect(outputs(model.job, true).renditions['360p']?.published).toHaveLength(7);
  });
});

describe('DASH', () => {
  test('the MPD names one whole take per rendition, with exact times', () => {
    const { playlists, mediaGroups, duration } = parseMpd(mpd(outputs(twoTakes('a').job, true)), {
      manifestUri: 'http://h/',
    });
    expect(duration).toBe(12);
    expect(playlists.map(({ attributes }) => attributes)).toMatchObject([
      { NAME: '360p', CODECS: 'avc1.64001f', RESOLUTION: { width: 640, height: 360 }, 'FRAME-RATE': 30 },
      { NAME: '720p', CODECS: 'avc1.64001f', RESOLUTION: { width: 1280, height: 720 }, 'FRAME-RATE': 30 },
    ]);
    expect(playlists[0]?.segments.map(({ resolvedUri, duration, map }) => [resolvedUri, duration, map.uri])).toEqual(
      [1, 2, 3].map((n) => [`http://h/360p/t2/${n}.m4s`, 4, '360p/t2/init.mp4']),
    );
    const [audio] = Object.values(mediaGroups.AUDIO.audio ?? {});
    expect(audio?.playlists[0]?.segments).toHaveLength(3);
  });

  test('a rendition that several takes made is named segment by segment, with the init that they share', () => {
    const model = new JobModel();
    model.run(CREATE);
    const first = model.lease('r1');
    model.run({ type: 'report', lease: first, entries: [{ type: 'plan', plan: PLAN }], commits: commits(0, 1) });
    model.run({ type: 'expire', lease: first });
    const names = ['audio', '360p', '720p'];
    const entries = names.map((name) => ({ type: 'rendition' as const, name, segments: 3 }));
    model.run({ type: 'report', lease: model.lease('r2'), entries, commits: [...commits(0, 0), ...commits(2, 3)] });
    const text = mpd(outputs(model.job, true));
    const { playlists, duration } = parseMpd(text, { manifestUri: 'http://h/' });
    expect(duration).toBe(12);
    expect(playlists[0]?.segments.map(({ resolvedUri, duration, map }) => [resolvedUri, duration, map.uri])).toEqual([
      ['http://h/360p/t1/1.m4s', 4, '360p/t1/init.mp4'],
      ['http://h/360p/t2/2.m4s', 4, '360p/t1/init.mp4'],
      ['http://h/360p/t2/3.m4s', 4, '360p/t1/init.mp4'],
    ]);
    const playlist = mediaPlaylist(media(outputs(model.job, true), '360p', true));
    expect(playlist.segments.map(({ uri }) => uri)).toEqual(['t1/1.m4s', 't2/2.m4s', 't2/3.m4s']);
    expect(media(outputs(model.job, true), '360p', true).match(/EXT-X-MAP/g)).toHaveLength(1);
  });

  test('lengths that no decimal fraction can hold stay exact', () => {
    const model = new JobModel();
    model.run(CREATE);
    const fps = { num: 30_000, den: 1001 };
    const plan = { ...PLAN, audio: null, video: PLAN.video.slice(0, 1).map((video) => ({ ...video, fps })) };
    const lease = model.lease('r1');
    const made = Array.from({ length: 300 }, (_, i) => ({ ...commit('360p', i + 1), duration: 120_120 / 30_000 }));
    model.run({
      type: 'report',
      lease,
      entries: [
        { type: 'plan', plan },
        { type: 'rendition', name: '360p', segments: 300 },
      ],
      commits: [commit('360p', 0), ...made],
    });
    expect(mpd(outputs(model.job, true))).toContain('<S d="120120" r="299"/>');
  });
});
