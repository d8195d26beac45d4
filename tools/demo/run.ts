/** The demo's job itself, as `reelwire process --watch` does it: upload, follow to the end, say how it went. */
import type { Display } from '../../cli/display/display.ts';
import { explain, inWords } from '../../cli/failure.ts';
import { connect } from '../../cli/settings.ts';
import { failureText, hasCompleted, type Outcome, summaryJson, summaryText } from '../../cli/summary.ts';
import { upload } from '../../cli/upload.ts';
import type { VideoFile } from '../../cli/videos.ts';
import { watchToEnd } from '../../cli/watch.ts';
import { Refusal } from '../main.ts';
import { startCommand } from '../settings.ts';
import type { Reach } from './reach.ts';

export interface Surroundings {
  display: Display;
  stop: AbortSignal;
  json: boolean;
}

/** The exit code: 0 only when the job completed. */
export async function runJob(file: VideoFile, reached: Reach, { display, stop, json }: Surroundings): Promise<number> {
  const outcome = await processed(file, reached, display, stop);
  display.end();
  const { end } = outcome;
  if (json) console.log(summaryJson(outcome));
  else if (hasCompleted(outcome)) {
    for (const line of summaryText(outcome, reached.address, (page) => watchWords(page, reached))) console.log(line);
  }
  if (end.event === 'complete') return 0;
  console.error(failureText(end));
  return 1;
}

async function processed(file: VideoFile, reached: Reach, display: Display, stop: AbortSignal): Promise<Outcome> {
  const { origin, failed } = reached;
  const since = performance.now();
  const broken = new AbortController();
  failed.catch((error: unknown) => broken.abort(error));
  const signal = AbortSignal.any([stop, broken.signal]);
  const client = connect({ url: origin, key: process.env.REELWIRE_KEY || null }, signal);
  let jobId: string | null = null;
  try {
    ({ job_id: jobId } = await upload(client, file, { label: file.name }, display, signal));
    display.note(`Job ${jobId}`);
    return await watchToEnd(client, { jobId, name: file.name }, display, signal, since);
  } catch (error) {
    display.end();
    if (stop.aborted) console.error(partingWords(jobId, reached));
    const failure = explain(error, origin);
    throw failure ? new Refusal(inWords(failure), failure.exitCode === 2 ? 2 : 1) : error;
  }
}

export const watchWords = (page: string, { joined }: Pick<Reach, 'joined'>): string =>
  joined ? `Watch it: ${page}` : `Watch it: run "${startCommand()}", then open ${page}`;

function partingWords(jobId: string | null, { joined, address }: Reach): string {
  if (jobId === null) return 'Stopped before the video was there.';
  return joined
    ? `Stopped watching; the job goes on: ${address}/jobs/${jobId}`
    : `Stopped; the job goes on with the next "${startCommand()}": ${address}/jobs/${jobId}`;
}
