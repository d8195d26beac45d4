/** `reelwire jobs`: what there is, newest first. */
import { styleText } from 'node:util';
import type { JobSummary, Status } from '../../client/index.ts';
import { STAGE_PERCENT } from '../../src/contract/stages.ts';
import type { Context } from '../context.ts';
import { table, terminalWidth } from '../display/table.ts';
import { ageText } from '../display/units.ts';
import { EXIT } from '../failure.ts';
import { typed } from '../typed.ts';

export interface JobsOptions {
  status?: Status;
  limit: number;
}

/** As many as the server gives in one answer. */
const PAGE = 100;

/** From here on a pending job only waits. */
const UPLOADED = STAGE_PERCENT.uploading.to;

const COLOURS = {
  pending: 'yellow',
  processing: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'gray',
} as const satisfies Record<Status, string>;

export async function jobs({ client, json }: Context, { status, limit }: JobsOptions): Promise<number> {
  const found: JobSummary[] = [];
  let cursor: string | null = null;
  do {
    const page = await client.jobs.list({
      ...{ cursor, limit: Math.min(PAGE, limit - found.length) },
      ...(status && { status }),
    });
    found.push(...page.jobs);
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < limit);

  if (json) for (const job of found) console.log(JSON.stringify(job));
  else if (found.length === 0)
    console.log(status ? `No job is ${status}.` : `There are no jobs yet: ${typed('process', 'FILE')}`);
  else {
    for (const line of inColumns(found)) console.log(line);
    if (cursor !== null) console.error(`There are more: ${typed('jobs', '--limit', String(limit * 2))}`);
  }
  return EXIT.ok;
}

/** The colour comes last, so that it has no part in widths. */
function inColumns(found: JobSummary[]): string[] {
  const rows = found.map((job) => [job.id, stateText(job), ageText(job.created_at), job.key]);
  const [header = '', ...lines] = table([['JOB', 'STATE', 'AGE', 'NAME'], ...rows], terminalWidth());
  const coloured = lines.map((line, n) => {
    const job = found[n];
    return job ? line.replace(stateText(job), (text) => styleText(COLOURS[job.status], text)) : line;
  });
  return [styleText('bold', header), ...coloured];
}

/** A job that is under way has come so far. */
const stateText = ({ status, stage, progress }: JobSummary): string =>
  status === 'processing' || (status === 'pending' && stage === 'uploading' && progress < UPLOADED)
    ? `${stage} ${progress}%`
    : status;
