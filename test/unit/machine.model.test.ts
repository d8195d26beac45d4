/**
 * Any interleaving of commands, duplicates and stale leases included: after each one the invariants of the log hold.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Entry, endsRun, isVisible } from '../../src/contract/entries.ts';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import { Refusal } from '../../src/durable/job/draft.ts';
import type { TimelessCommand } from '../../src/durable/job/machine.ts';
import { outputs } from '../../src/durable/job/outputs.ts';
import { apply, type JobState } from '../../src/durable/job/state.ts';
import { AWAIT, CREATE, commit, FETCH, JobModel, PLAN, RECEIVED, types } from './commands.ts';

type Step = { wait: number; again: boolean; command: TimelessCommand };

/** 0 stands for the lease that is live when the command runs. */
const lease = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
);
const rendition = fc.constantFrom('audio', '360p', '720p');
const stage = fc.constantFrom('transcoding', 'validation', 'packaging');

const taskEntry: fc.Arbitrary<TaskEntry> = fc.oneof(
  fc.constant({ type: 'plan', plan: PLAN } as const),
  fc.record({ type: fc.constant('stage' as const), stage, message: fc.constant('on') }),
  fc.record({
    type: fc.constant('progress' as const),
    stage,
    progress: fc.integer({ min: 0, max: 100 }),
    message: fc.constant('going'),
    details: fc.record({
      renditions: fc.array(
        fc.record({
          name: fc.constantFrom('360p', '720p'),
          resolution: fc.constant('-'),
          percent: fc.integer({ min: 0, max: 100 }),
          fps: fc.constant(null),
          speed: fc.constantFrom(0.5, 1.2, 3, null),
        }),
        { maxLength: 2 },
      ),
      completed: fc.constant(0),
      total: fc.constant(2),
      eta_seconds: fc.constant(null),
      attempt: fc.constant(1),
    }),
  }),
  fc.record({ type: fc.constant('rendition' as const), name: rendition, segments: fc.integer({ min: 1, max: 3 }) }),
);

const ALL = ['audio', '360p', '720p'];
const everything: TaskEntry[] = [
  { type: 'plan', plan: PLAN },
  ...ALL.map((name) => ({ type: 'rendition' as const, name, segments: 2 })),
];
const twoOfEach = ALL.flatMap((name) => [0, 1, 2].map((n) => commit(name, n)));

/** One rendition runs ahead while all are encoded fast. */
const fast: TaskEntry[] = [
  { type: 'plan', plan: PLAN },
  { type: 'stage', stage: 'transcoding', message: 'on' },
  {
    type: 'progress',
    stage: 'transcoding',
    progress: 20,
    message: 'going',
    details: {
      renditions: PLAN.video.map(({ name }) => ({ name, resolution: '-', percent: 1, fps: null, speed: 3 })),
      ...{ completed: 0, total: 2, eta_seconds: null, attempt: 1 },
    },
  },
];
const ahead = (name: string, upTo: number) => Array.from({ length: upTo + 1 }, (_, n) => commit(name, n));

const command: fc.Arbitrary<TimelessCommand> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(CREATE, AWAIT, FETCH) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 1000 }), fc.constantFrom(1000, null))
      .map(([bytes, total]) => ({ type: 'receive' as const, bytes, total })),
  },
  { weight: 4, arbitrary: fc.constant(RECEIVED) },
  { weight: 1, arbitrary: fc.constant({ type: 'expire_upload' as const }) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 3 }).map((run) => ({
      type: 'fail_source' as const,
      run,
      code: 'source_refused' as const,
      message: 'no',
      retryable: false,
    })),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('lease' as const),
      task: fc.constant('main' as const),
      transcoder: fc.constantFrom('box-a', 'box-b'),
      request_id: fc.integer({ min: 1, max: 40 }).map((n) => `r${n}`),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('report' as const),
      lease,
      entries: fc.array(taskEntry, { maxLength: 4 }),
      commits: fc.array(
        fc.tuple(rendition, fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'b')).map((of) => commit(...of)),
        { maxLength: 5 },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: lease.map((n) => ({ type: 'report' as const, lease: n, entries: everything, commits: twoOfEach })),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(lease, rendition, fc.integer({ min: 1, max: 12 }))
      .map(([n, name, upTo]) => ({ type: 'report' as const, lease: n, entries: fast, commits: ahead(name, upTo) })),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('release' as const), lease }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('expire' as const), lease }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('store' as const), lease }) },
  {
    weight: 3,
    arbitrary: lease.map((n) => ({
      type: 'complete' as const,
      lease: n,
      result: { duration_seconds: 12 },
      artifacts: [],
    })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(lease, fc.constantFrom('no_space', 'not_media', 'cannot_follow_plan'), fc.boolean())
      .map(([n, code, retryable]) => ({ type: 'fail' as const, lease: n, error: { code, message: 'no', retryable } })),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'cancel' as const, by: 'the API' }) },
  { weight: 2, arbitrary: fc.constant({ type: 'retry' as const, by: 'the API' }) },
);

const step = (drawn: fc.Arbitrary<TimelessCommand>): fc.Arbitrary<Step> =>
  fc.record({ wait: fc.integer({ min: 0, max: 4000 }), again: fc.boolean(), command: drawn });

/** Some jobs are deleted, and may hear more all the same. */
const deletion = step(fc.constant({ type: 'delete' as const, by: 'the API' }));

/** A rendition that one take has begun and the next one ends, which is rare by chance. */
const handedOver: TimelessCommand[] = [
  { type: 'lease', task: 'main', transcoder: 'box-a', request_id: 'first' },
  {
    type: 'report',
    lease: 1,
    entries: [{ type: 'plan', plan: PLAN }],
    commits: [commit('360p', 0), commit('360p', 1)],
  },
  { type: 'expire', lease: 1 },
  { type: 'lease', task: 'main', transcoder: 'box-b', request_id: 'second' },
  {
    type: 'report',
    lease: 2,
    entries: [{ type: 'rendition', name: '360p', segments: 2 }],
    commits: [commit('360p', 0), commit('360p', 2)],
  },
];

const first = fc.constantFrom(CREATE, CREATE, AWAIT, FETCH);
const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.tuple(...handedOver.map((drawn) => step(fc.constant(drawn)))) },
    ),
    fc.array(step(command), { minLength: 1, maxLength: 60, size: 'max' }),
    fc.oneof(fc.constant([]), fc.tuple(deletion, step(command), step(command))),
  )
  .map(([begin, life, end]) => [...begin, ...life, ...end]);

/** What the playlists of the listed rungs, and of the audio beside them, show. */
function shown(state: JobState | null): Record<string, string[]> {
  if (!state?.plan || state.listed.length === 0) return {};
  const { renditions } = outputs(state, state.status === 'completed');
  const entries = (name: string): string[] =>
    (renditions[name]?.published ?? []).map(({ n, take, sha256 }) => `${n}/${take}/${sha256}`);
  return Object.fromEntries([...state.listed, 'audio'].map((name) => [name, entries(name)]));
}

const holdsLive = (state: JobState | null, n: number): boolean => state?.lease?.n === n && state.lease.end === 'live';

/** Runs one command and checks what must hold between the state before and the state after it. */
function check(model: JobModel, command: TimelessCommand): boolean {
  const before = model.state;
  let entries: Entry[] = [];
  let refused = false;
  try {
    entries = model.run(command);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refused = true;
  }
  if (refused) expect(model.state).toBe(before);
  if ('lease' in command && !holdsLive(before, command.lease)) expect(entries).toEqual([]);
  if (before && !before.source) {
    expect(entries.some(({ type }) => type === '_lease')).toBe(false);
    expect(command.type === 'retry' && entries.length > 0 && before.url === null).toBe(false);
  }
  if (before?.source) expect(model.state?.source).toEqual(before.source);
  if (before?.deleted) {
    expect([entries, refused]).toEqual([[], command.type !== 'delete' && command.type !== 'create']);
  } else if (before?.completed_at && command.type === 'delete') {
    expect(types(entries)).toEqual(['_deleted']);
  } else if (before?.completed_at && command.type !== 'retry') {
    expect(entries).toEqual([]);
  }

  const now = shown(model.state);
  for (const [name, list] of Object.entries(shown(before))) expect(now[name]?.slice(0, list.length)).toEqual(list);
  for (const name of before?.listed ?? []) expect(model.state?.listed).toContain(name);
  return refused;
}

function checkLog(model: JobModel): void {
  let attempt = '';
  let run = 0;
  let progress = 0;
  model.log.forEach((entry, i) => {
    Entry.parse(entry);
    expect(entry.seq).toBe(i + 1);
    if (endsRun(entry)) {
      const next = model.log[i + 1];
      const isRetried = next?.type === 'state' && next.data.details.state === 'retried';
      expect(next === undefined || next.type === '_deleted' || isRetried).toBe(true);
    }
    if (!isVisible(entry)) return;
    if (entry.type === 'state' && entry.data.details.state === 'retried') run += 1;
    const now = entry.type === 'state' ? `${run}:${entry.data.details.attempt}` : attempt;
    if (now === attempt) expect(entry.data.progress).toBeGreaterThanOrEqual(progress);
    attempt = now;
    progress = entry.data.progress;
  });
  expect(model.log.reduce<JobState | null>(apply, null)).toEqual(model.state);
}

test('whatever happens to a job in whatever order, its log stays sound', () => {
  const seen = {
    completed: 0,
    failed: 0,
    cancelled: 0,
    deleted: 0,
    refused: 0,
    twoTakes: 0,
    joined: 0,
    uploaded: 0,
    expired: 0,
  };
  fc.assert(
    fc.property(first, steps, (birth, script) => {
      const model = new JobModel();
      for (const { wait, again, command: drawn } of [{ wait: 0, again: true, command: birth }, ...script]) {
        model.now += wait;
        const live = model.state?.lease?.n ?? 1;
        const command = 'lease' in drawn && drawn.lease === 0 ? { ...drawn, lease: live } : drawn;
        if (check(model, command)) seen.refused += 1;
        if (!again) continue;
        const { length } = model.log;
        check(model, command);
        if (command.type !== 'retry') expect(model.log).toHaveLength(length);
      }
      checkLog(model);
      const { status, segments, deleted, whole, error } = model.job;
      if (types(model.log).includes('_source')) seen.uploaded += 1;
      if (error?.code === 'upload_expired') seen.expired += 1;
      if (deleted) seen.deleted += 1;
      if (Object.values(whole).some(({ take }) => take === null)) seen.joined += 1;
      if (status === 'completed' || status === 'failed' || status === 'cancelled') seen[status] += 1;
      if (ALL.some((name) => new Set(segments[name]?.map(({ take }) => take)).size > 1)) seen.twoTakes += 1;
    }),
    { numRuns: process.env.REELWIRE_LONG ? 20_000 : 1_000 },
  );
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
}, 600_000);
