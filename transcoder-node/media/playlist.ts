/**
 * Follows one rendition's playlists while the packager writes them. An entry that is listed is a segment that is
 * closed. Video segments wait until the I-frame playlist lists them too, for where their keyframe lies.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import HLS from 'hls-parser';
import type { Commit } from '../../src/contract/job.ts';
import { iframePlaylistName, playlistName } from './packager-args.ts';

export interface ClosedSegment {
  readonly n: number;
  readonly keyframe: Commit['keyframe'];
}

export class PlaylistTail {
  readonly #media: GrowingFile;
  readonly #iframes: GrowingFile | null;
  #seen = 0;

  constructor(folder: string, rendition: string, kind: 'video' | 'audio') {
    this.#media = new GrowingFile(join(folder, playlistName(rendition)));
    this.#iframes = kind === 'video' ? new GrowingFile(join(folder, iframePlaylistName(rendition))) : null;
  }

  /** The segments that were closed since the last call, in order. */
  async next(): Promise<ClosedSegment[]> {
    const media = await this.#media.segments();
    const iframes = this.#iframes && (await this.#iframes.segments());
    const ready = Math.min(media.length, iframes?.length ?? media.length);
    const fresh: ClosedSegment[] = [];
    while (this.#seen < ready) {
      const range = iframes?.[this.#seen]?.byterange;
      this.#seen += 1;
      fresh.push({ n: this.#seen, keyframe: range ? { offset: range.offset, length: range.length } : null });
    }
    return fresh;
  }
}

type MediaPlaylist = InstanceType<typeof HLS.types.MediaPlaylist>;

/** Parsed again only when it changed: a day of video has more than twenty thousand entries. */
class GrowingFile {
  readonly #path: string;
  #version = '';
  #segments: MediaPlaylist['segments'] = [];

  constructor(path: string) {
    this.#path = path;
  }

  async segments(): Promise<MediaPlaylist['segments']> {
    const found = await stat(this.#path).catch(() => null);
    if (!found) return this.#segments;
    const version = `${found.ino}:${found.size}:${found.mtimeMs}`;
    if (version === this.#version) return this.#segments;
    const playlist = HLS.parse(await readFile(this.#path, 'utf8'));
    if (playlist.isMasterPlaylist) throw new Error('a master playlist stands where a media playlist belongs');
    this.#version = version;
    // hls-parser 0.16 takes the EXT-X-MAP of a playlist that has no entry yet for an entry without an address.
    this.#segments = (playlist as MediaPlaylist).segments.filter(({ uri }) => uri);
    return this.#segments;
  }
}
