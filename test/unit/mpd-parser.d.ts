/** What these tests use of mpd-parser, which comes without types. */
declare module 'mpd-parser' {
  interface Playlist {
    attributes: Record<string, unknown>;
    segments: { resolvedUri: string; duration: number; map: { uri: string } }[];
  }
  export function parse(
    text: string,
    options: { manifestUri: string },
  ): {
    duration: number;
    playlists: Playlist[];
    mediaGroups: { AUDIO: Record<string, Record<string, { playlists: Playlist[] }>> };
  };
}
