/**
 * `GET /jobs/:id/outputs/*`. After completion everything is an object: the stored MPD, written last, is the sign, and
 * the job object is not asked any more. While the job runs, manifests are rendered from what it says, and a segment
 * is served only if its commit was accepted.
 */
import type { Context } from 'hono';
import {
  iframePlaylist,
  MASTER,
  MPD,
  mediaPlaylist,
  outputKey,
  RenditionName,
  SegmentName,
  segmentNumber,
  takePath,
} from '../contract/ids.ts';
import type { App } from './app.ts';
import { jobId, jobObject } from './jobs.ts';
import { HLS_TYPE, iframes, master, media } from './manifests/hls.ts';
import { MPD_TYPE } from './manifests/mpd.ts';
import { serve } from './objects.ts';
import { ProblemError, unwrap } from './problems.ts';

type OutputContext = Context<App, '/:id/outputs/*'>;

const MANIFEST_CACHE = 'no-cache';
const SEGMENT_CACHE = 'public, max-age=31536000, immutable';

export async function outputs(c: OutputContext): Promise<Response> {
  const id = jobId(c);
  const path = new URL(c.req.url).pathname.split('/outputs/').slice(1).join('/outputs/');
  const segment = parseSegment(path);
  if (segment) return sendSegment(c, id, segment);

  const type = path === MPD ? MPD_TYPE : HLS_TYPE;
  const headers = { 'Content-Type': type, 'Cache-Control': MANIFEST_CACHE };
  if (!isManifest(path)) throw nothing();
  const stored = await serve(c.env.OUTPUT, outputKey(id, path), c.req.raw, headers);
  return stored ?? render(c, path, headers);
}

interface Segment {
  rendition: string;
  take: number;
  name: string;
}

function parseSegment(path: string): Segment | null {
  const [rendition, take, name, ...rest] = path.split('/');
  if (rest.length > 0 || !RenditionName.safeParse(rendition).success || !SegmentName.safeParse(name).success)
    return null;
  const number = /^t([1-9]\d{0,8})$/.exec(take ?? '')?.[1];
  return number && rendition && name ? { rendition, take: Number(number), name } : null;
}

function isManifest(path: string): boolean {
  if (path === MASTER || path === MPD) return true;
  const rendition = path.split('/')[0] ?? '';
  const isRendition = RenditionName.safeParse(rendition).success;
  return isRendition && (path === mediaPlaylist(rendition) || path === iframePlaylist(rendition));
}

async function sendSegment(c: OutputContext, id: string, { rendition, take, name }: Segment): Promise<Response> {
  const isClosed = (await c.env.OUTPUT.head(outputKey(id, MPD))) !== null;
  if (!isClosed) unwrap(await jobObject(c).segment(rendition, take, segmentNumber(name)));
  const type = rendition === 'audio' ? 'audio/mp4' : 'video/mp4';
  const headers = { 'Content-Type': type, 'Cache-Control': SEGMENT_CACHE };
  const key = outputKey(id, takePath(rendition, take, name));
  const answer = await serve(c.env.OUTPUT, key, c.req.raw, headers);
  if (!answer) throw nothing();
  return answer;
}

async function render(c: OutputContext, path: string, headers: Record<string, string>): Promise<Response> {
  const view = unwrap(await jobObject(c).outputs());
  const text = manifest(view, path);
  if (text === null) throw nothing();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const etag = `"${new Uint8Array(digest).toHex().slice(0, 32)}"`;
  if (c.req.header('If-None-Match') === etag)
    return new Response(null, { status: 304, headers: { ...headers, ETag: etag } });
  return new Response(text, { headers: { ...headers, ETag: etag } });
}

/** Null for what there is nothing to say about yet. */
function manifest(view: Parameters<typeof master>[0], path: string): string | null {
  if (path === MPD) return null;
  if (path === MASTER) return view.listed.length > 0 ? master(view) : null;
  const rendition = path.split('/')[0] ?? '';
  const published = view.renditions[rendition]?.published ?? [];
  if (published.length === 0) return null;
  if (path === mediaPlaylist(rendition)) return media(view, rendition, false);
  return rendition === 'audio' ? null : iframes(view, rendition, false);
}

const nothing = (): ProblemError =>
  new ProblemError('not_found', 'There is no such output, or not yet: the stream says when the job is playable.');
