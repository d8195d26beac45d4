/**
 * `GET /jobs/:id/outputs/*`, and the same below a token. A small object, written after completion, is the sign that everything is stored and
 * final; from then on the job object is not asked any more. Until then manifests are rendered from what it says, and a
 * file is served only if its commit was accepted and the job has neither failed nor been cancelled.
 */
import type { Context } from 'hono';
import { FINAL, outputKey, segmentNumber, takePath } from '../contract/ids.ts';
import type { Outputs } from '../durable/job/outputs.ts';
import type { App } from './app.ts';
import { noneMatchFails } from './etags.ts';
import { jobId } from './job-object.ts';
import { HLS_TYPE, iframes, master, media } from './manifests/hls.ts';
import { MPD_TYPE, mpd } from './manifests/mpd.ts';
import { serve } from './objects.ts';
import { type FilePath, type ManifestPath, manifestPath, parseOutput } from './output-paths.ts';
import { ProblemError, unwrap } from './problems.ts';

const MANIFEST_CACHE = 'no-cache';

/** Where access is not open, a cache that many share would show the file to those who may not see it. */
const fileCache = (c: Context<App>): string => `${c.get('isOpen') ? 'public' : 'private'}, max-age=31536000, immutable`;

export function outputs(c: Context<App, '/:id/outputs/*'>): Promise<Response> {
  return sendOutput(c, jobId(c), new URL(c.req.url).pathname.split('/outputs/').slice(1).join('/outputs/'));
}

/** `below` is what follows in the address, still encoded: nothing that can be named there needs to be. */
export async function sendOutput(c: Context<App>, job_id: string, below: string): Promise<Response> {
  const path = parseOutput(below);
  if (!path) throw nothing();
  const isFinal = (await c.env.OUTPUT.head(outputKey(job_id, FINAL))) !== null;
  return 'manifest' in path ? sendManifest(c, job_id, path, isFinal) : sendFile(c, job_id, path, isFinal);
}

async function sendFile(c: Context<App>, job_id: string, file: FilePath, isFinal: boolean): Promise<Response> {
  const { folder, take, name, type } = file;
  if (!isFinal) {
    const number = segmentNumber(name);
    const job = c.env.JOB.getByName(job_id);
    unwrap(await (number === null ? job.artifact(folder, take, name) : job.segment(folder, take, number)));
  }
  const key = outputKey(job_id, takePath(folder, take, name));
  const answer = await serve(c.env.OUTPUT, key, c.req.raw, { 'Content-Type': type, 'Cache-Control': fileCache(c) });
  if (!answer) throw nothing();
  return answer;
}

async function sendManifest(c: Context<App>, job_id: string, path: ManifestPath, isFinal: boolean): Promise<Response> {
  const type = path.manifest === 'mpd' ? MPD_TYPE : HLS_TYPE;
  const headers = { 'Content-Type': type, 'Cache-Control': MANIFEST_CACHE };
  if (isFinal) {
    const stored = await serve(c.env.OUTPUT, outputKey(job_id, manifestPath(path)), c.req.raw, headers);
    if (!stored) throw nothing();
    return stored;
  }
  const { closed, outputs } = unwrap(await c.env.JOB.getByName(job_id).outputs());
  const text = render(outputs, path, closed);
  if (text === null) throw nothing();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const etag = `"${new Uint8Array(digest).toHex().slice(0, 32)}"`;
  const isKnown = noneMatchFails(c.req.header('If-None-Match') ?? null, etag);
  return new Response(isKnown ? null : text, { status: isKnown ? 304 : 200, headers: { ...headers, ETag: etag } });
}

/** Null for what there is nothing to say about yet. Nothing is shown before the master has a rung. */
function render(outputs: Outputs, path: ManifestPath, closed: boolean): string | null {
  if (path.manifest === 'mpd') return closed ? mpd(outputs) : null;
  if (outputs.listed.length === 0) return null;
  if (path.manifest === 'master') return master(outputs);
  const { rendition } = path;
  const isShown = outputs.listed.includes(rendition) || (rendition === 'audio' && outputs.plan.audio !== null);
  if (!isShown) return null;
  if (path.manifest === 'media') return media(outputs, rendition, closed);
  return rendition === 'audio' ? null : iframes(outputs, rendition, closed);
}

const nothing = (): ProblemError =>
  new ProblemError('not_found', 'There is no such output, or not yet: the stream says when the job is playable.');
