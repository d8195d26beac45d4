/** `reelwire show JOB`: one job, with how long each stage took, what was made, and where it can be played. */
import type { Job } from '../../client/index.ts';
import { addressOf, type Context } from '../context.ts';
import { table, terminalWidth } from '../display/table.ts';
import { ageText, bitrateText, durationText, sizeText } from '../display/units.ts';
import { EXIT } from '../failure.ts';
import { adviceFor } from '../summary.ts';
import { typed } from '../typed.ts';

export async function show(context: Context, jobId: string): Promise<number> {
  const job = await context.client.jobs.get(jobId);
  if (context.json) console.log(JSON.stringify(job));
  else for (const line of inWords(job, context)) console.log(line);
  return EXIT.ok;
}

function inWords(job: Job, context: Context): string[] {
  const blocks = [facts(job), stages(job), renditions(job), playback(job, context)];
  return blocks.filter((block) => block.length > 0).flatMap((block, n) => (n === 0 ? block : ['', ...block]));
}

function facts(job: Job): string[] {
  const { id, key, status, stage, progress, attempt, eta_seconds, created_at, completed_at, metadata } = job;
  const isRunning = status === 'processing' || status === 'pending';
  const left = eta_seconds === null ? '' : `, ${durationText(eta_seconds)} left`;
  const rows = [
    ['job', id],
    ['name', key],
    ['status', isRunning ? `${status}: ${stage}, ${progress}%${left}` : status],
    ['created', `${created_at} (${ageText(created_at)} ago)`],
    ...(completed_at === null ? [] : [['ended', `${completed_at} (${ageText(completed_at)} ago)`]]),
    ...(attempt > 1 ? [['attempt', String(attempt)]] : []),
    ...(job.result === null ? [] : [['length', durationText(job.result.duration_seconds)]]),
    ...Object.entries(metadata).map(([name, value]) => [`metadata ${name}`, value]),
    ...failure(job),
  ];
  return table(rows, Number.POSITIVE_INFINITY);
}

function failure({ id, status, error, error_message }: Job): string[][] {
  const retry = ['next', typed('retry', id)];
  if (status === 'cancelled') return [retry];
  if (error === null) return [];
  const why = ['error', `${error_message ?? 'The job failed.'} (${error.code})`];
  const advice = adviceFor(error.code).map((text) => ['', text]);
  return [why, ...advice, ...(error.retryable ? [retry] : [])];
}

/** Known when the job is complete. */
function stages({ result }: Job): string[] {
  if (result === null) return [];
  const rows = Object.entries(result.stage_seconds).map(([stage, seconds]) => [stage, `${seconds.toFixed(1)} s`]);
  return rows.length === 0 ? [] : table([['STAGE', 'TOOK'], ...rows], terminalWidth());
}

function renditions({ renditions }: Job): string[] {
  if (renditions.length === 0) return [];
  const rows = renditions.map(({ name, width, height, fps, average_bandwidth, vmaf, size_bytes, status, codecs }) => [
    name,
    name === 'audio' ? '' : `${width}x${height}`,
    name === 'audio' ? '' : String(Number(fps.toFixed(2))),
    average_bandwidth === null ? '' : bitrateText(average_bandwidth),
    vmaf === null ? '' : vmaf.mean.toFixed(1),
    sizeText(size_bytes),
    status,
    codecs,
  ]);
  const header = ['RENDITION', 'PICTURE', 'FPS', 'BITRATE', 'VMAF', 'SIZE', 'STATUS', 'CODECS'];
  return table([header, ...rows], terminalWidth());
}

function playback({ id, playback: paths }: Job, context: Context): string[] {
  const rows = Object.entries(paths).flatMap(([name, path]) =>
    path === null ? [] : [[name, addressOf(context, path)]],
  );
  return table([...rows, ['page', addressOf(context, `/jobs/${id}`)]], Number.POSITIVE_INFINITY);
}
