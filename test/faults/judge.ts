/**
 * The judge of a round: what must be true of every accepted job once faults have stopped, whatever happened before.
 */
import { isDeepStrictEqual } from 'node:util';
import { JobsPage } from '../../src/contract/api.ts';
import { type Entry, isVisible } from '../../src/contract/entries.ts';
import { until } from '../../tools/until.ts';
import type { Heard } from '../browser/page/listen.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { complaints as streamComplaints } from '../e2e/exactly-once.ts';
import type { System } from '../e2e/system.ts';
import type { Clip, ClipShelf } from './clips.ts';
import { OutputsJudge } from './outputs-judge.ts';

/** What a job still has to do outside, it does within this time: its own retries are minutes apart at most. */
const REST_MS = 60_000;
const LOOK_MS = 400;
/** The timers of a job at rest are about days. */
const REST_AHEAD_MS = 3_600_000;

export interface Accepted {
  readonly id: string;
  readonly clip: Clip;
}

/** What is wrong with a job, in words; empty when nothing is. */
export async function judge(
  system: System,
  shelf: ClipShelf,
  { id, clip }: Accepted,
  heard: readonly Heard[],
): Promise<string[]> {
  const { status } = await system.job(id);
  if (status !== 'completed') return [`the job is ${status}`];
  const rests = await until(() => isAtRest(system, id), { withinMs: REST_MS, everyMs: LOOK_MS });
  const stored = await system.storedLog(id);
  const visible = await new DrivenJob(system.url, id).log();
  return [
    ...(rests ? [] : ['the job does not come to rest']),
    ...logComplaints(stored),
    ...(isDeepStrictEqual(visible, stored.filter(isVisible)) ? [] : ['the API shows another log than is stored']),
    ...streamComplaints(visible, heard),
    ...(await new OutputsJudge(system, shelf, id, clip, stored).complaints()),
    ...(await listComplaints(system, id)),
  ];
}

/** Storage has been swept for the second time, the list has been told. */
async function isAtRest(system: System, id: string): Promise<boolean> {
  const next = await system.nextTimer(id);
  return next === null || next > Date.now() + REST_AHEAD_MS;
}

export function logComplaints(log: readonly Entry[]): string[] {
  const found: string[] = [];
  const gap = log.findIndex(({ seq }, i) => seq !== i + 1);
  if (gap >= 0) found.push(`the log has entry ${log[gap]?.seq} where ${gap + 1} should be`);
  const ends = log.filter(({ type }) => type === 'complete').length;
  if (ends !== 1) found.push(`the log has ${ends} entries "complete"`);
  const last = log.at(-1)?.type;
  if (last !== 'complete') found.push(`the last entry of the log is "${last}"`);
  return found;
}

async function listComplaints(system: System, id: string): Promise<string[]> {
  const isListed = async (): Promise<boolean> => {
    const answer = await fetch(`${system.url}/jobs?limit=100`);
    if (!answer.ok) return false;
    const { jobs } = JobsPage.parse(await answer.json());
    return jobs.some((job) => job.id === id && job.status === 'completed' && job.playback.hls !== null);
  };
  const listed = await until(isListed, { withinMs: REST_MS });
  return listed ? [] : ['the list of jobs does not show it as completed'];
}
