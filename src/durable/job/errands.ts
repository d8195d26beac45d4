/**
 * What a job has to do outside: ring in the queue, have its source fetched, keep the list of jobs up to date, hand
 * events to webhook endpoints, end an upload that is not wanted any more, sweep what nothing names, erase what was
 * deleted. Behind each errand stands its timer. Before it begins, the timer is set to when it shall be tried again, with
 * backoff; when it is done, to when there is more to do, or cleared, unless the job has set it anew meanwhile. So an
 * errand that fails, hangs or is cut off by a restart comes again, and none waits for another.
 */
import { FINAL, outputKey } from '../../contract/ids.ts';
import { type Env, settings } from '../env.ts';
import { listJob, unlistJob } from '../job-list.ts';
import { backoffMs, within } from '../timing.ts';
import { endpointsForJobs } from '../webhook/list.ts';
import type { JobCore } from './core.ts';
import { LIST_PROGRESS_MS } from './guard.ts';
import { keeps } from './keeps.ts';
import type { JobState } from './state.ts';
import { sweep } from './sweep.ts';
import { type DeliveryKind, type ErrandKind, endpointOf, type TimerData } from './timers.ts';
import { summary } from './view.ts';
import { webhookEvents } from './webhook-events.ts';

/** How long the queue, the list, or storage may take to answer. */
const CALL_MS = 5000;

/** At most so many entries are looked at for an endpoint in one go. */
const PAGE = 500;

/** When an errand goes on, perhaps never (`Infinity`); null when it is done. */
type Next<K extends ErrandKind> = { at: number; data: TimerData<K> } | null;

/** What an errand has at hand: the job as it was when the errand began. */
interface Trip {
  readonly env: Env;
  readonly core: JobCore;
  readonly state: JobState;
}

type Errand<K extends ErrandKind> = (trip: Trip, data: TimerData<K>) => Promise<Next<K>>;

/** Does what is due, side by side. Never rejects. */
export async function runErrands(env: Env, core: JobCore): Promise<void> {
  await Promise.all([
    run(env, core, 'doorbell', ring),
    run(env, core, 'fetch', callFetcher),
    run(env, core, 'close_upload', closeUpload),
    run(env, core, 'list', list),
    run(env, core, 'sweep', sweepTakes),
    run(env, core, 'erase', erase),
    run(env, core, 'subscribe', subscribe),
    ...core.timers.deliveries().map((kind) => run(env, core, kind, handOver(kind))),
  ]);
}

async function run<K extends ErrandKind>(env: Env, core: JobCore, kind: K, errand: Errand<K>): Promise<void> {
  const { timers, state } = core;
  try {
    const timer = timers.get(kind);
    if (!state || !timer || timer.due_at > Date.now()) return;
    const again = Date.now() + 1000 + backoffMs(timer.tries);
    timers.set(kind, again, { ...timer, tries: timer.tries + 1 });
    await timers.arm();
    const next = await errand({ env, core, state }, timer);
    if (timers.get(kind)?.due_at !== again) return;
    if (next) timers.set(kind, next.at, next.data);
    else timers.clear(kind);
  } catch (error) {
    console.error(JSON.stringify({ msg: 'errand failed', job: state?.job_id, kind, error: String(error) }));
  }
}

async function ring({ env, state }: Trip, { rung }: TimerData<'doorbell'>): Promise<Next<'doorbell'>> {
  const { job_id, options } = state;
  const queue = options.priority === 'high' ? env.TRANSCODE_QUEUE_HIGH : env.TRANSCODE_QUEUE;
  await within(CALL_MS, queue.send({ job_id, task: 'main' }));
  return ringAgain(env, rung);
}

async function callFetcher({ env, state }: Trip, { rung }: TimerData<'fetch'>): Promise<Next<'fetch'>> {
  await within(CALL_MS, env.FETCH_QUEUE.send({ job_id: state.job_id }));
  return ringAgain(env, rung);
}

function ringAgain(env: Env, rung: number): { at: number; data: { rung: number; tries: number } } {
  const waits = settings(env).RING_AGAIN_MS;
  const wait = waits[Math.min(rung, waits.length - 1)] ?? 0;
  return { at: Date.now() + wait, data: { rung: rung + 1, tries: 0 } };
}

async function closeUpload({ env, state }: Trip): Promise<null> {
  await within(CALL_MS, env.UPLOAD.getByName(state.job_id).close(state.job_id, state.run_seq));
  return null;
}

async function list({ env, core, state }: Trip): Promise<Next<'list'>> {
  const { job_id, deleted, last_seq } = state;
  await within(
    CALL_MS,
    deleted ? unlistJob(env.DB, job_id, last_seq) : listJob(env.DB, summary(state), last_seq, state),
  );
  const isBehind = (core.state?.last_seq ?? 0) > last_seq;
  return isBehind ? { at: Date.now() + LIST_PROGRESS_MS, data: { tries: 0 } } : null;
}

async function subscribe({ env, core }: Trip): Promise<null> {
  const endpoints = await within(CALL_MS, endpointsForJobs(env.DB));
  core.run({ type: 'subscribe', endpoints });
  return null;
}

/** The endpoint's object takes over: it stores the events, and drops what it has. */
const handOver =
  (kind: DeliveryKind): Errand<DeliveryKind> =>
  async ({ env, core, state }, { cursor, progress_from }) => {
    const { entries, through, isLast } = core.log.page(cursor, PAGE);
    const first = (seq: number): boolean => core.log.opensPlayback(seq);
    const { events, progressFrom } = webhookEvents(state, entries, first, progress_from);
    const next = (from: number | null): Next<DeliveryKind> => ({
      at: isLast ? Number.POSITIVE_INFINITY : Date.now(),
      data: { cursor: through, tries: 0, progress_from: from },
    });
    if (events.length === 0) return next(progress_from);
    const endpoint = env.WEBHOOK.getByName(endpointOf(kind));
    const { wantsProgress } = await within(CALL_MS, endpoint.accept(state.job_id, events));
    return next(wantsProgress ? (progressFrom ?? 0) : null);
  };

async function sweepTakes({ env, core, state }: Trip, timer: TimerData<'sweep'>): Promise<Next<'sweep'>> {
  const { lease, round } = timer;
  if (!core.isWhole) return null;
  const cursor = await sweep(env.OUTPUT, outputKey(state.job_id, ''), keeps(state, lease), timer.cursor);
  if (cursor !== null) return { at: Date.now(), data: { lease, round, cursor, tries: 0 } };
  if (round > 0) return null;
  return { at: Date.now() + settings(env).SWEEP_AGAIN_MS, data: { lease, round: 1, cursor: null, tries: 0 } };
}

const dueAt = ({ timers }: JobCore, kind: ErrandKind): number => timers.get(kind)?.due_at ?? Number.POSITIVE_INFINITY;

/** Twice, the second time for what was on its way; then, once list, endpoints and upload know, the job forgets itself. */
async function erase({ env, core, state }: Trip, { round }: TimerData<'erase'>): Promise<Next<'erase'>> {
  const { job_id } = state;
  await within(CALL_MS, env.OUTPUT.delete(outputKey(job_id, FINAL)));
  for (const bucket of [env.INPUT, env.OUTPUT]) {
    const rest = await sweep(bucket, outputKey(job_id, ''), () => false, null);
    if (rest !== null) return { at: Date.now(), data: { round, tries: 0 } };
  }
  if (round === 0) return { at: Date.now() + settings(env).SWEEP_AGAIN_MS, data: { round: 1, tries: 0 } };
  const others = ['list', 'subscribe', 'close_upload', ...core.timers.deliveries()] as const;
  const told = Math.min(...others.map((kind) => dueAt(core, kind)));
  if (told < Number.POSITIVE_INFINITY) return { at: told, data: { round, tries: 0 } };
  await core.forget();
  return null;
}
