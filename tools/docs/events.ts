/** The reference of the event stream, from the schema of the log's entries. */
import type { z } from 'zod';
import {
  Entry,
  ProgressDetails,
  RenditionDone,
  RenditionProgress,
  UploadProgress,
  WarningCode,
} from '../../src/contract/entries.ts';
import { JobErrorCode } from '../../src/contract/errors.ts';
import { Job, JobEvent, JobOptions, JobResult, Playback, Rendition, Vmaf } from '../../src/contract/job.ts';
import { EVENTS } from '../../src/contract/meanings.ts';
import { STAGE_PERCENT, Stage, Status } from '../../src/contract/stages.ts';
import { code, page, table } from './markdown.ts';
import { shapes } from './shapes.ts';

const NAMED = {
  ...{ ProgressDetails, RenditionProgress, RenditionDone, UploadProgress },
  ...{ Status, Stage, JobErrorCode, WarningCode, Playback, Rendition, Vmaf, JobResult, JobOptions, JobEvent, Job },
};

export function events(): string {
  const { of, named } = shapes(NAMED);
  const visible = Object.entries(EVENTS).map(([type, when]) => [code(type), when, code(of(detailsOf(type)))]);
  const stages = Object.entries(STAGE_PERCENT).map(([stage, { from, to }]) => [
    code(stage),
    from === to ? String(to) : `${from} to ${to}`,
  ]);
  return page(
    '# Events',
    '`GET /jobs/JOB_ID/stream` tells these, each as `id`, `event` and one line of JSON as `data`; `GET /jobs/JOB_ID/events` gives the same entries as a list. This page is made by `npm run docs`.',
    table(
      ['event', 'when', '`details`'],
      [[code('status'), 'First on a fresh connection: the job as it is.', 'none; see below'], ...visible],
    ),
    '## What every event carries',
    `${code(of(commonOf()))}, and \`details\` as above. \`timestamp\` is ISO 8601 in UTC. \`progress\` never falls within an attempt.`,
    '`status` carries the fields of the job (`Job` below), `job_id`, `message` and `timestamp`. `done`, with `{}` and without an id, goes directly before `complete`, for older clients.',
    'Unknown events and unknown fields are to be passed over: more may come.',
    '## Where one goes on',
    'The `id` of an event is its number in the log of the job. `Last-Event-ID` (or `?last_event_id=`) resumes after it; `0` tells everything. Ids rise, and need not be consecutive. After the end of the run the answer is 204. `: heartbeat` comes after 15 s of silence.',
    '## Stages and progress',
    table(['stage', 'progress'], stages),
    '## Shapes',
    '`JobErrorCode` and `WarningCode`: [codes](errors.md).',
    table(
      ['name', 'fields'],
      named.map(({ name, shape }) => [code(name), code(shape)]),
    ),
  );
}

type VisibleOption = Extract<(typeof Entry.options)[number], { shape: { data: { shape: { details: z.ZodType } } } }>;

const isVisible = (option: (typeof Entry.options)[number]): option is VisibleOption =>
  'details' in option.shape.data.shape;

function detailsOf(type: string): z.ZodType {
  const option = Entry.options.filter(isVisible).find(({ shape }) => shape.type.value === type);
  if (!option) throw new Error(`The log has no visible entry ${type}`);
  return option.shape.data.shape.details;
}

function commonOf(): z.ZodType {
  const [option] = Entry.options.filter(isVisible);
  if (!option) throw new Error('The log has no visible entry');
  return option.shape.data.omit({ details: true });
}
