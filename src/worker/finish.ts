/**
 * The end of a job: every object that a manifest or the result will name is checked, the closed manifests are rendered
 * and stored, and only then is the job complete. After that the sign is written that playback needs the job object no
 * more; should it be missing, everything works all the same. All of it may be repeated.
 */
import { FINAL, iframePlaylist, MASTER, MPD, mediaPlaylist, outputKey, outputPath, takePath } from '../contract/ids.ts';
import type { Artifact } from '../contract/job.ts';
import type { Status } from '../contract/stages.ts';
import type { TaskResult } from '../contract/transcoder.ts';
import type { Env } from '../durable/env.ts';
import { namedObjects, type Outputs } from '../durable/job/outputs.ts';
import { HLS_TYPE, iframes, master, media } from './manifests/hls.ts';
import { MPD_TYPE, mpd } from './manifests/mpd.ts';
import { fileType } from './output-paths.ts';
import { ProblemError, unwrap } from './problems.ts';

export async function finish(env: Env, job_id: string, lease: number, result: TaskResult): Promise<Status> {
  const job = env.JOB.getByName(job_id);
  const { status, outputs } = unwrap(await job.store(lease));
  if (!outputs) return sign(env, job_id, status);

  await verify(env, outputs);
  const artifacts: Artifact[] = [];
  for (const { path, type, text } of manifests(outputs)) {
    const stored = await env.OUTPUT.put(outputKey(job_id, path), text, { httpMetadata: { contentType: type } });
    artifacts.push({ name: path, path: outputPath(job_id, path), type, size_bytes: stored.size });
  }
  artifacts.push(...files(outputs));
  return sign(env, job_id, unwrap(await job.complete(lease, result, artifacts)));
}

async function sign(env: Env, job_id: string, status: Status): Promise<Status> {
  if (status === 'completed') await env.OUTPUT.put(outputKey(job_id, FINAL), '');
  return status;
}

/** The files of poster, storyboard and MP4. */
function files({ job_id, artifacts }: Outputs): Artifact[] {
  return Object.entries(artifacts).flatMap(([folder, { take, files }]) =>
    files.map(({ name, bytes }) => {
      const path = outputPath(job_id, takePath(folder, take, name));
      return { name: `${folder}/${name}`, path, type: fileType(folder, name) ?? '', size_bytes: bytes };
    }),
  );
}

/** The sizes of all stored objects against those that were committed. */
async function verify(env: Env, { job_id, renditions, artifacts }: Outputs): Promise<void> {
  const sizes = await storedSizes(env.OUTPUT, outputKey(job_id, ''));
  const missing = namedObjects({ renditions, artifacts })
    .filter(({ path, bytes }) => sizes.get(outputKey(job_id, path)) !== bytes)
    .map(({ path }) => path);
  if (missing.length > 0) {
    const detail = `${missing.length} committed objects are not stored as they were reported; the first is ${missing[0]}.`;
    throw new ProblemError('outputs_missing', detail);
  }
}

async function storedSizes(bucket: R2Bucket, prefix: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, ...(cursor ? { cursor } : {}) });
    for (const { key, size } of page.objects) sizes.set(key, size);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return sizes;
}

function* manifests(outputs: Outputs): Generator<{ path: string; type: string; text: string }> {
  for (const { name } of outputs.plan.video) {
    yield { path: mediaPlaylist(name), type: HLS_TYPE, text: media(outputs, name, true) };
    yield { path: iframePlaylist(name), type: HLS_TYPE, text: iframes(outputs, name, true) };
  }
  if (outputs.plan.audio) yield { path: mediaPlaylist('audio'), type: HLS_TYPE, text: media(outputs, 'audio', true) };
  yield { path: MASTER, type: HLS_TYPE, text: master(outputs) };
  yield { path: MPD, type: MPD_TYPE, text: mpd(outputs) };
}
