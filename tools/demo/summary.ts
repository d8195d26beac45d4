/** The demo's last words: what came out, how long it took, where it can be watched. */
import { z } from 'zod';
import { Job } from '../../src/contract/job.ts';
import type { Reach } from './reach.ts';

export interface Outcome {
  jobId: string;
  /** The job as it is now; `null` when it could not be asked. */
  job: Job | null;
  /** What the last event said. */
  status: string;
  seconds: number;
}

export async function askJob(origin: string, jobId: string): Promise<Job | null> {
  try {
    const answer = await fetch(new URL(`/jobs/${jobId}`, origin), { signal: AbortSignal.timeout(5000) });
    const job = z.safeParse(Job, await answer.json());
    return job.success ? job.data : null;
  } catch {
    return null;
  }
}

export function summaryJson({ jobId, job, status, seconds }: Outcome): string {
  const playback = { hls: job?.playback.hls ?? null, dash: job?.playback.dash ?? null };
  return JSON.stringify({ event: 'summary', job_id: jobId, status, playback, seconds });
}

export function summaryText({ job, seconds }: Outcome, reach: Reach): string[] {
  const lines = [`Completed in ${seconds} s.`];
  if (job === null) return lines;
  for (const { name, width, height, fps, size_bytes, codecs } of job.renditions) {
    const picture = `${width}x${height} ${Number(fps.toFixed(2))} fps`;
    lines.push(`  ${name.padEnd(6)} ${picture.padEnd(20)} ${sizeText(size_bytes).padStart(9)}  ${codecs}`);
  }
  const { hls } = job.playback;
  if (hls === null) return lines;
  const watch = `${reach.address}${hls}`;
  lines.push(
    reach.joined
      ? `Watch it in a player: ${watch}`
      : `Watch it: run "${startCommand()}", then open ${watch} in a player`,
  );
  return lines;
}

/** `npm start` with the settings that lead to the same jobs. */
export function startCommand(env: NodeJS.ProcessEnv = process.env): string {
  const settings = ['PORT', 'HOST', 'STATE_DIR'].flatMap((name) => (env[name] ? [`${name}=${env[name]}`] : []));
  return [...settings, 'npm start'].join(' ');
}

export function sizeText(bytes: number): string {
  const unit = bytes < 1e6 ? ([1e3, 'kB'] as const) : bytes < 1e9 ? ([1e6, 'MB'] as const) : ([1e9, 'GB'] as const);
  return `${(bytes / unit[0]).toFixed(1)} ${unit[1]}`;
}
