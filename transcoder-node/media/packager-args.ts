/**
 * Shaka Packager's command for a set of renditions: CMAF segments and, for each rendition, playlists that grow as
 * segments are closed. The playlists are for us to read; what players get is made by the edge.
 */
import type { Plan } from '../../src/contract/job.ts';

export const playlistName = (rendition: string): string => `${rendition}.m3u8`;
export const iframePlaylistName = (rendition: string): string => `${rendition}-iframes.m3u8`;
export const MASTER_NAME = 'packager.m3u8';

/** The packager waits for a full block before it looks at it: 64 KiB by default, a minute of quiet audio. */
const IO_BLOCK_BYTES = '1024';

export function packagerArgs(plan: Plan, pipeOf: (rendition: string) => string): string[] {
  return [
    ...plan.video.map(
      ({ name }) => `${stream(name, 'video', pipeOf)},iframe_playlist_name=${iframePlaylistName(name)}`,
    ),
    ...(plan.audio ? [`${stream(plan.audio.name, 'audio', pipeOf)},hls_group_id=audio,hls_name=audio`] : []),
    ...['--segment_duration', String(plan.segment_seconds), '--generate_static_live_mpd'],
    ...['--hls_playlist_type', 'EVENT', '--hls_start_time_offset', '0'],
    ...['--io_block_size', IO_BLOCK_BYTES],
    ...['--hls_master_playlist_output', MASTER_NAME, '--mpd_output', 'packager.mpd', '--quiet'],
  ];
}

const stream = (name: string, kind: 'video' | 'audio', pipeOf: (rendition: string) => string): string =>
  [
    `in=${pipeOf(name)}`,
    `stream=${kind}`,
    `init_segment=${name}/init.mp4`,
    `segment_template=${name}/$Number$.m4s`,
    `playlist_name=${playlistName(name)}`,
  ].join(',');
