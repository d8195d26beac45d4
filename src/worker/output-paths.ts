/** What an address below a job's outputs can name: a manifest, or a file of a take. */
import {
  ArtifactFile,
  ArtifactName,
  iframePlaylist,
  MASTER,
  MPD,
  mediaPlaylist,
  RenditionName,
  SegmentName,
} from '../contract/ids.ts';

export type ManifestPath =
  | { manifest: 'master' }
  | { manifest: 'mpd' }
  | { manifest: 'media'; rendition: string }
  | { manifest: 'iframes'; rendition: string };
export interface FilePath {
  folder: string;
  take: number;
  name: string;
  type: string;
}

export function parseOutput(path: string): ManifestPath | FilePath | null {
  if (path === MASTER) return { manifest: 'master' };
  if (path === MPD) return { manifest: 'mpd' };
  const [folder = '', take = '', name = '', ...more] = path.split('/');
  if (RenditionName.safeParse(folder).success) {
    if (path === mediaPlaylist(folder)) return { manifest: 'media', rendition: folder };
    if (path === iframePlaylist(folder)) return { manifest: 'iframes', rendition: folder };
  }
  const number = /^t([1-9]\d{0,8})$/.exec(take)?.[1];
  const type = fileType(folder, name);
  return number && type && more.length === 0 ? { folder, take: Number(number), name, type } : null;
}

export function manifestPath(path: ManifestPath): string {
  switch (path.manifest) {
    case 'master':
      return MASTER;
    case 'mpd':
      return MPD;
    case 'media':
      return mediaPlaylist(path.rendition);
    case 'iframes':
      return iframePlaylist(path.rendition);
    default:
      return path satisfies never;
  }
}

/** The media type of a file, or null if no such file can be stored in that folder. */
export function fileType(folder: string, name: string): string | null {
  if (RenditionName.safeParse(folder).success && SegmentName.safeParse(name).success) {
    return folder === 'audio' ? 'audio/mp4' : 'video/mp4';
  }
  if (!ArtifactName.safeParse(folder).success || !ArtifactFile.safeParse(name).success) return null;
  if (name.endsWith('.vtt')) return 'text/vtt; charset=utf-8';
  return name.endsWith('.mp4') ? 'video/mp4' : 'image/jpeg';
}
