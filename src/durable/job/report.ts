/**
 * What a transcoder's report adds to the log. Order within a report: the plan, the commits, then the rest. A report
 * that says again what the log knows adds nothing, and what would make a stage or the progress fall is left out.
 */
import type { ProgressDetails, RenditionDone } from '../../contract/entries.ts';
import { type Commit, type PlannedVideo, renditionNames, type TakeSegment } from '../../contract/job.ts';
import { STAGE_PERCENT, type Stage, stageProgress, stageRank } from '../../contract/stages.ts';
import type { TaskEntry } from '../../contract/transcoder.ts';
import { type Draft, Refusal } from './draft.ts';
import { rungsToList, sharedInit, takeOf, track } from './takes.ts';
import { playback } from './view.ts';

/** At most one `progress` in this time; the second one counts after the attempt has lasted `LONG_MS`. */
const PROGRESS_EVERY_MS = 1000;
const LONG_PROGRESS_EVERY_MS = 5000;
const LONG_MS = 10 * 60_000;

export function report(draft: Draft, { entries, commits }: { entries: TaskEntry[]; commits: Commit[] }): void {
  for (const entry of entries) {
    if (entry.type === 'plan' && draft.state.plan === null) draft.note('_plan', entry.plan);
  }
  commit(draft, commits);
  for (const entry of entries) tell(draft, entry);
  list(draft);
}

/** Logs that a stage begins, and its first `progress`, unless it or a later one has begun in this attempt. */
export function beginStage(draft: Draft, stage: Stage, message: string): void {
  const { progress, stage: now, stage_at } = draft.state;
  const isFirst = stage === 'uploading' && stage_at.uploading === undefined;
  if (!isFirst && stageRank(stage) <= stageRank(now)) return;
  draft.say('stage', message, null, { stage, progress: Math.max(progress, STAGE_PERCENT[stage].from) });
  draft.say('progress', message, null);
}

function commit(draft: Draft, commits: Commit[]): void {
  const { segments, lease, plan } = draft.state;
  if (commits.length === 0 || !lease) return;
  const planned = new Set(plan ? renditionNames(plan) : []);
  const fresh: TakeSegment[] = [];
  for (const one of commits) {
    if (!planned.has(one.rendition)) {
      throw new Refusal('invalid_request', `The plan has no rendition ${one.rendition}.`);
    }
    const known = [...(segments[one.rendition] ?? []), ...fresh.filter((other) => other.rendition === one.rendition)];
    if (!known.some(({ n, take }) => n === one.n && take === lease.n)) fresh.push({ ...one, take: lease.n });
  }
  if (fresh.length > 0) draft.note('_segments', { commits: fresh });
}

function tell(draft: Draft, entry: TaskEntry): void {
  switch (entry.type) {
    case 'plan':
      break;
    case 'stage':
      beginStage(draft, entry.stage, entry.message);
      break;
    case 'progress':
      progress(draft, entry);
      break;
    case 'rendition':
      rendition(draft, entry.name, entry.segments);
      break;
    case 'validated':
      validated(draft, entry);
      break;
    case 'artifact':
      artifact(draft, entry);
      break;
    case 'warning':
      draft.say('warning', entry.message, { ...entry.details, code: entry.code });
      break;
    default:
      entry satisfies never;
  }
}

function progress(draft: Draft, entry: Extract<TaskEntry, { type: 'progress' }>): void {
  const { state } = draft;
  if (entry.stage !== state.stage || isTooSoon(draft)) return;
  const details: ProgressDetails = { ...entry.details, attempt: state.attempt };
  const percent = Math.min(entry.progress, STAGE_PERCENT[entry.stage].to);
  draft.say('progress', entry.message, details, { progress: Math.max(state.progress, percent) });
}

/** Whether a `progress` would be one too many. */
export function isTooSoon({ state, at }: Draft): boolean {
  const every = at - state.attempt_at > LONG_MS ? LONG_PROGRESS_EVERY_MS : PROGRESS_EVERY_MS;
  return at - state.progress_at < every;
}

function rendition(draft: Draft, name: string, count: number): void {
  const { state } = draft;
  const take = state.lease?.n ?? 0;
  if (state.whole[name] || !state.plan) return;
  const made = state.segments[name] ?? [];
  const { published, inits } = track(made);
  const numbers = takeOf(made, take).map(({ n }) => n);
  const isOwn = inits.has(take) && numbers.length === count && numbers.every((n, i) => n === i + 1);
  if (!isOwn && (published.length !== count || sharedInit(published, inits) === null)) {
    throw new Refusal('rendition_incomplete', `Not all ${count} segments of ${name} are committed.`);
  }
  draft.note('_rendition', { name, take: isOwn ? take : null, segments: count });

  const video = state.plan.video.find((planned) => planned.name === name);
  if (!video) return;
  draft.say('rendition', `Rendition ${name} is stored`, { name, resolution: resolution(video), vmaf: null });
  draft.say('progress', `Transcoded resolution: ${name}`, tally(draft, name, draft.state.whole));
}

function validated(draft: Draft, { name, vmaf }: Extract<TaskEntry, { type: 'validated' }>): void {
  const video = draft.state.plan?.video.find((planned) => planned.name === name);
  if (!video || !draft.state.whole[name] || draft.state.vmaf[name]) return;
  draft.say('rendition', `Rendition ${name} has a VMAF of ${vmaf.mean}`, { name, resolution: resolution(video), vmaf });
  const details = tally(draft, name, draft.state.vmaf);
  draft.say('progress', `Validated resolution: ${name}`, details, {
    progress: Math.max(draft.state.progress, stageProgress('validation', details.completed / details.total)),
  });
}

function artifact(draft: Draft, { name, files }: Extract<TaskEntry, { type: 'artifact' }>): void {
  const { artifacts, lease } = draft.state;
  if (lease && !artifacts[name]) draft.note('_artifact', { name, take: lease.n, files });
}

/** How many of the rungs are `done`. */
function tally(draft: Draft, name: string, done: Record<string, unknown>): RenditionDone {
  const video = draft.state.plan?.video ?? [];
  return { resolution: name, completed: video.filter((planned) => done[planned.name]).length, total: video.length };
}

const resolution = ({ width, height }: PlannedVideo): string => `${width}x${height}`;

/** Says `playable` whenever the master has more to offer than before. */
function list(draft: Draft): void {
  const renditions = rungsToList(draft.state);
  if (renditions.length <= draft.state.listed.length) return;
  const details = { playback: playback({ ...draft.state, listed: renditions }), renditions };
  draft.say('playable', `Playable in ${renditions.join(', ')}`, details);
}
