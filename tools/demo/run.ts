/** The demo's job itself: upload, follow to the end, say how it went. */
import { z } from 'zod';
import type { Display } from './display.ts';
import { follow } from './follow.ts';
import type { VideoFile } from './options.ts';
import type { Reach } from './reach.ts';
import { askJob, sizeText, startCommand, summaryJson, summaryText } from './summary.ts';
import { upload } from './upload.ts';

export interface Surroundings {
  display: Display;
  stop: AbortSignal;
  json: boolean;
}

/** The exit code: 0 only when the job completed. */
export async function runJob(file: VideoFile, reached: Reach, { display, stop, json }: Surroundings): Promise<number> {
  const { origin, failed } = reached;
  const since = performance.now();
  const broken = new AbortController();
  failed.catch((error: unknown) => broken.abort(error));
  const signal = AbortSignal.any([stop, broken.signal]);

  display.note(`Uploading ${file.name} (${sizeText(file.bytes)}) ...`);
  const { job_id: jobId, stream_url: stream } = await upload(origin, file.path, file.name, signal);
  display.note(`Job ${jobId}`);
  const last = await follow(stream, signal, (event) => display.event(event)).catch((error: unknown) => {
    display.end();
    if (stop.aborted) display.note(partingWords(jobId, reached));
    throw error;
  });

  const seconds = Math.round((performance.now() - since) / 100) / 10;
  const outcome = { jobId, job: await askJob(origin, jobId), status: String(last.data.status), seconds };
  display.end();
  if (json) console.log(summaryJson(outcome));
  else if (last.event === 'complete') for (const line of summaryText(outcome, reached)) console.log(line);
  if (last.event === 'complete') return 0;
  console.error(last.event === 'cancelled' ? 'The job was cancelled.' : `The job failed: ${failureText(last.data)}`);
  return 1;
}

const partingWords = (jobId: string, { joined, address }: Reach): string =>
  joined
    ? `Stopped watching; the job goes on: ${address}/jobs/${jobId}`
    : `Stopped; the job goes on with the next "${startCommand()}": ${address}/jobs/${jobId}`;

const Failure = z.object({ message: z.string(), details: z.object({ code: z.string() }) });

function failureText(data: Record<string, unknown>): string {
  const failure = Failure.safeParse(data);
  return failure.success ? `${failure.data.message} (${failure.data.details.code})` : JSON.stringify(data);
}
