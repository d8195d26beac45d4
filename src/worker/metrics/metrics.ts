/**
 * `GET /metrics`: what can be said at any time, from what is stored. A Worker has no counters of its own: it runs in
 * many places at once and forgets. So all of these are gauges over the jobs that are kept, read from the list of jobs
 * and the registry of transcoders when somebody asks.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import { JobErrorCode } from '../../contract/errors.ts';
import { Status } from '../../contract/stages.ts';
import { fleetSize } from '../../durable/fleet.ts';
import type { App } from '../app.ts';
import { AWAY } from '../list.ts';
import { readRows } from '../paging.ts';
import { version } from '../version.ts';
import { type Gauge, METRICS_TYPE, render } from './text.ts';

/** Reads one index from end to end: a row for each job that is kept. */
export const COUNTS = `SELECT status, summary ->> '$.attempt' AS attempt, summary ->> '$.error.code' AS code, count(*) AS jobs
  FROM jobs WHERE deleted_at IS NULL GROUP BY summary ->> '$.attempt', summary ->> '$.error.code', status`;

export const OLDEST = `SELECT min(summary ->> '$.waiting_since') AS since FROM jobs
  WHERE summary ->> '$.waiting_since' IS NOT NULL`;

const Counts = z.array(
  z.object({ status: Status, attempt: z.int().nullable(), code: z.string().nullable(), jobs: z.int() }),
);
type Counts = z.infer<typeof Counts>;
const Oldest = z.array(z.object({ since: z.int().nullable() }));

export async function metrics(c: Context<App>): Promise<Response> {
  const [counts, oldest, fleet] = await Promise.all([
    readRows(c.env.DB, { sql: COUNTS, values: [] }, AWAY),
    readRows(c.env.DB, { sql: OLDEST, values: [] }, AWAY),
    fleetSize(c.env),
  ]);
  const [{ since } = { since: null }] = Oldest.parse(oldest);
  const waited = since === null ? 0 : Math.max(0, Date.now() - since) / 1000;
  const gauges = [...ofJobs(Counts.parse(counts)), ...ofFleet(fleet), queueAge(waited), info];
  return c.body(render(gauges), 200, { 'Content-Type': METRICS_TYPE });
}

const info: Gauge = {
  name: 'reelwire_info',
  help: 'The version of the edge that answered; always 1.',
  samples: [{ labels: { version }, value: 1 }],
};

const queueAge = (seconds: number): Gauge => ({
  name: 'reelwire_queue_age_seconds',
  help: 'For how long the job that has waited longest has been waiting for a transcoder; 0 when none waits.',
  samples: [{ value: seconds }],
});

function ofJobs(counts: Counts): Gauge[] {
  const sum = (rows: Counts, weight: (row: Counts[number]) => number): number =>
    rows.reduce((total, row) => total + row.jobs * weight(row), 0);
  const failed = counts.filter(({ status }) => status === 'failed');
  return [
    {
      name: 'reelwire_jobs',
      help: 'Jobs that are kept, by status. A job leaves with its retention or when it is deleted.',
      samples: Status.options.map((status) => ({
        labels: { status },
        value: sum(
          counts.filter((row) => row.status === status),
          () => 1,
        ),
      })),
    },
    {
      name: 'reelwire_job_attempts',
      help: 'Attempts of the present run of the jobs that are kept, by the status of the job.',
      samples: Status.options.map((status) => ({
        labels: { status },
        value: sum(
          counts.filter((row) => row.status === status),
          ({ attempt }) => attempt ?? 0,
        ),
      })),
    },
    {
      name: 'reelwire_jobs_failed',
      help: 'Failed jobs that are kept, by the code of their error.',
      samples: JobErrorCode.options.map((code) => ({
        labels: { code },
        value: sum(
          failed.filter((row) => row.code === code),
          () => 1,
        ),
      })),
    },
  ];
}

const ofFleet = ({ online, busy, slots }: { online: number; busy: number; slots: number }): Gauge[] => [
  {
    name: 'reelwire_transcoders',
    help: 'Transcoders that have said lately that they are there.',
    samples: [{ value: online }],
  },
  { name: 'reelwire_slots', help: 'Tasks that they can run side by side.', samples: [{ value: slots }] },
  { name: 'reelwire_slots_busy', help: 'Tasks that they run.', samples: [{ value: busy }] },
];
