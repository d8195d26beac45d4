/** `reelwire process FILE...`: uploads one file after the other, and with `--watch` watches all of them meanwhile. */
import { ApiError, fileUploadStore, type Uploaded } from '../../client/index.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../failure.ts';
import { askHealth } from '../health.ts';
import { uploadsFile } from '../state.ts';
import { typed } from '../typed.ts';
import { upload } from '../upload.ts';
import { readVideo, type VideoFile, whereTheUserStands } from '../videos.ts';
import { Watching } from '../watching.ts';

export interface ProcessOptions {
  watch?: boolean;
  webhook?: string;
}

export async function processVideos(context: Context, files: string[], options: ProcessOptions): Promise<number> {
  const videos = files.map((file) => readVideo(file, whereTheUserStands(), 'Name a video file.'));
  const { health } = await askHealth(context.url, context.stop);
  const watching = new Watching(context, videos.length > 1);
  if (health.transcoders.online === 0) watching.display.note('No transcoder is online: jobs wait until one is.');
  const codes: number[] = [];
  try {
    for (const video of videos) {
      if (!watching.attention.isCancelled) codes.push(await one(context, video, options, watching));
    }
    return await watching.end(codes);
  } catch (error) {
    watching.leave();
    throw error;
  } finally {
    watching.close();
  }
}

/** The exit code. A server that refuses one file may take the next. */
async function one(context: Context, video: VideoFile, options: ProcessOptions, watching: Watching): Promise<number> {
  const { display, attention } = watching;
  const since = performance.now();
  const state: { jobId: string | null } = { jobId: null };
  const label = watching.label(video.name);
  const settings = {
    label,
    webhookUrl: options.webhook,
    resume: fileUploadStore(uploadsFile()),
    onCreated(jobId: string) {
      state.jobId = jobId;
      attention.began(jobId);
    },
  };
  try {
    const uploaded = await upload(context.client, video, settings, display, attention.sending);
    state.jobId = uploaded.job_id;
    if (context.json) console.log(JSON.stringify({ event: 'accepted', video: video.name, ...uploaded }));
    else for (const line of acceptedText(uploaded, options)) display.note(line);
  } catch (error) {
    const isCancelled = attention.isCancelled && !attention.watching.aborted && state.jobId !== null;
    if (!isCancelled) {
      if (state.jobId !== null) attention.ended(state.jobId);
      if (error instanceof ApiError) return watching.refused(error, label);
      if (state.jobId !== null) display.note(`What has been sent of ${label} stays; the same command goes on with it.`);
      throw error;
    }
  }
  if (state.jobId === null) return EXIT.refused;
  if (options.watch || attention.isCancelled) watching.begin({ jobId: state.jobId, name: label }, since);
  else attention.ended(state.jobId);
  return EXIT.ok;
}

function acceptedText({ job_id, webhook }: Uploaded, { watch }: ProcessOptions): string[] {
  const lines = [`Job ${job_id}`];
  if (webhook?.secret) lines.push(`The secret of its webhook, told this once: ${webhook.secret}`);
  if (!watch) lines.push(`Watch it: ${typed('watch', job_id)}`);
  return lines;
}
