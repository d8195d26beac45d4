/** The rules of the machine, one by one. `machine.model.test.ts` mixes them. */
import { describe, expect, test } from 'vitest';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import { grant } from '../../src/durable/job/grant.ts';
import { MAX_ATTEMPTS } from '../../src/durable/job/machine.ts';
import { namedObjects, outputs } from '../../src/durable/job/outputs.ts';
import { view } from '../../src/durable/job/view.ts';
import { commit, commits, created, type JobModel, PLAN, types } from './commands.ts';

describe('the way of a job', () => {
  test('from upload to completion the log tells every stage once, each followed by its progress', () => {
    const model = created();
    const lease = model.work('r1');
    model.run({
      type: 'report',
      lease,
      entries: [{ type: 'stage', stage: 'validation', message: 'Validating' }],
      commits: [],
    });
    model.run({
      type: 'report',
      lease,
      entries: [{ type: 'stage', stage: 'packaging', message: 'Packaging' }],
      commits: [],
    });
    model.run({ type: 'store', lease });
    model.run({ type: 'complete', lease, result: { duration_seconds: 12 }, artifacts: [] });

    const stages = model.log.flatMap((entry, i) =>
      entry.type === 'stage' ? [[entry.data.stage, model.log[i + 1]?.type]] : [],
    );
    expect(stages).toEqual(
      ['uploading', 'transcoding', 'validation', 'packaging', 'storage', 'completed'].map((stage) => [
        stage,
        'progress',
      ]),
    );
    expect(types(model.log).slice(-3)).toEqual(['stage', 'progress', 'complete']);
    expect(model.job).toMatchObject({ status: 'completed', stage: 'completed', progress: 100 });
    expect(view(model.job).playback).toMatchObject({ hls: expect.any(String), dash: expect.any(String), poster: null });
  });

  test('complete is refused while a rendition is not whole, and allowed once it is', () => {
    const model = created();
    const lease = model.lease('r1');
    model.run({ type: 'report', lease, entries: [{ type: 'plan', plan: PLAN }], commits: commits(0, 2) });
    expect(() => model.run({ type: 'store', lease })).toThrow(
      expect.objectContaining({ code: 'rendition_incomplete' }),
    );

    const wholes = ['audio', '360p', '720p'].map((name) => ({ type: 'rendition' as const, name, segments: 3 }));
    expect(() => model.run({ type: 'report', lease, entries: wholes, commits: [] })).toThrow(
      expect.objectContaining({ code: 'rendition_incomplete' }),
    );
    model.run({ type: 'report', lease, entries: wholes, commits: commits(3, 3) });
    expect(types(model.run({ type: 'store', lease }))).toEqual(['stage', 'progress']);
  });

  test('a commit for a rendition that the plan does not have is refused', () => {
    const model = created();
    const lease = model.work('r1');
    expect(() => model.run({ type: 'report', lease, entries: [], commits: [commit('144p', 1)] })).toThrow(
      /no rendition 144p/,
    );
  });

  test('progress is logged at most once a second, and once in five after ten minutes', () => {
    const model = created();
    const lease = model.work('r1');
    const details = { renditions: [], completed: 0, total: 2, eta_seconds: 9, attempt: 1 };
    const report = (progress: number) =>
      model.run({
        type: 'report',
        lease,
        entries: [{ type: 'progress', stage: 'transcoding', progress, message: 'Encoding', details }],
        commits: [],
      }).length;
    model.now += 1000;
    expect(report(20)).toBe(1);
    model.now += 999;
    expect(report(21)).toBe(0);
    model.now += 1;
    expect(report(22)).toBe(1);
    model.now += 10 * 60_000;
    expect(report(23)).toBe(1);
    model.now += 4999;
    expect(report(24)).toBe(0);
    model.now += 1;
    expect(report(25)).toBe(1);
  });
});

describe('leases', () => {
  test('a leased job is refused to others, and the same request gets the same lease', () => {
    const model = created();
    const lease = model.lease('r1');
    expect(() => model.lease('r2')).toThrow(expect.objectContaining({ code: 'lease_refused' }));
    expect(model.lease('r1')).toBe(lease);
    expect(model.job.attempt).toBe(1);
  });

  test('a request that comes again after its lease was lost does not take the job a second time', () => {
    const model = created();
    const lease = model.lease('r1');
    model.run({ type: 'expire', lease });
    expect(() => model.lease('r1')).toThrow(expect.objectContaining({ code: 'lease_refused' }));
    expect(model.lease('r2')).toBe(lease + 1);
  });

  test('a release counts no attempt; a lost lease does', () => {
    const model = created();
    model.run({ type: 'release', lease: model.lease('r1') });
    model.lease('r2');
    expect(model.job.attempt).toBe(1);
    model.run({ type: 'expire', lease: 2 });
    model.lease('r3');
    expect(model.job.attempt).toBe(2);
  });

  test('the job fails after attempts in a row that committed nothing new', () => {
    const model = created();
    for (let i = 1; i < MAX_ATTEMPTS; i++) model.run({ type: 'expire', lease: model.lease(`r${i}`) });
    expect(model.job.status).toBe('pending');
    model.run({ type: 'expire', lease: model.lease('last') });
    expect(model.job).toMatchObject({ status: 'failed', error: { code: 'transcoder_lost', retryable: true } });
  });

  test('an attempt that committed something new starts the count again', () => {
    const model = created();
    for (let n = 0; n < 3 * MAX_ATTEMPTS; n++) {
      const lease = model.lease(`r${n}`);
      model.run({ type: 'report', lease, entries: [{ type: 'plan', plan: PLAN }], commits: [commit('audio', n + 1)] });
      model.run({ type: 'expire', lease });
    }
    expect(model.job.status).toBe('pending');
  });

  test('a retryable error waits for another attempt, any other ends the job', () => {
    const error = { code: 'no_space', message: 'The disk is full.', retryable: true } as const;
    const model = created();
    model.run({ type: 'fail', lease: model.lease('r1'), error });
    expect(model.job.status).toBe('pending');
    const fatal = { code: 'not_media', message: 'This is no video.', retryable: false } as const;
    model.run({ type: 'fail', lease: model.lease('r2'), error: fatal });
    expect(model.job).toMatchObject({ status: 'failed', error: { code: 'not_media' } });
  });

  test('a transcoder that cannot follow the plan counts as no attempt', () => {
    const model = created();
    const error = { code: 'cannot_follow_plan', message: 'No encoder.', retryable: true } as const;
    for (let i = 0; i < 2 * MAX_ATTEMPTS; i++) model.run({ type: 'fail', lease: model.lease(`r${i}`), error });
    expect(model.job).toMatchObject({ status: 'pending', attempt: 1 });
  });

  test('a release keeps what its lease has achieved', () => {
    const model = created();
    for (let i = 1; i < MAX_ATTEMPTS; i++) model.run({ type: 'expire', lease: model.lease(`r${i}`) });
    const lease = model.lease('fruitful');
    model.run({ type: 'report', lease, entries: [{ type: 'plan', plan: PLAN }], commits: commits(0, 1) });
    model.run({ type: 'release', lease });
    model.run({ type: 'expire', lease: model.lease('same attempt') });
    expect(model.job.status).toBe('pending');
  });

  test('a refusal of the plan may be repeated like any other end', () => {
    const model = created();
    const error = { code: 'cannot_follow_plan', message: 'No encoder.', retryable: true } as const;
    const lease = model.lease('r1');
    model.run({ type: 'fail', lease, error });
    expect(model.run({ type: 'fail', lease, error })).toEqual([]);
    expect(model.job.handed_back).toBe(1);
  });

  test('the call that ended a lease may be repeated; any other call with that lease is refused', () => {
    const model = created();
    const lease = model.work('r1');
    const complete = { type: 'complete' as const, lease, result: { duration_seconds: 12 }, artifacts: [] };
    model.run(complete);
    expect(model.run(complete)).toEqual([]);
    expect(() => model.run({ type: 'release', lease })).toThrow(expect.objectContaining({ code: 'lease_lost' }));
    expect(() => model.run({ type: 'report', lease, entries: [], commits: [] })).toThrow(/no longer valid/);
  });

  test('a report after the user cancelled is taken, changes nothing, and any other stale report is refused', () => {
    const model = created();
    const lease = model.work('r1');
    model.run({ type: 'cancel', by: 'the API' });
    expect(model.run({ type: 'report', lease, entries: [], commits: commits(4, 4) })).toEqual([]);
    expect(() => model.run({ type: 'report', lease: lease + 1, entries: [], commits: [] })).toThrow(/no longer valid/);
  });
});

describe('takes', () => {
  test('the first committed take of a segment stays published; a later take becomes the whole one', () => {
    const model = created();
    const first = model.lease('r1');
    model.run({ type: 'report', lease: first, entries: [{ type: 'plan', plan: PLAN }], commits: commits(0, 1) });
    model.run({ type: 'expire', lease: first });
    const second = model.work('r2', 'b');
    expect(model.job.whole['360p']).toEqual({ take: second, segments: 3 });
    expect(model.job.segments['360p']?.filter(({ n }) => n === 1).map(({ take }) => take)).toEqual([first, second]);
  });

  /** The first lease commits segment 1, the second one 2 and 3, with `content` in their init segments too. */
  function resumed(content: string): { model: JobModel; lease: number } {
    const model = created();
    const first = model.lease('r1');
    model.run({ type: 'report', lease: first, entries: [{ type: 'plan', plan: PLAN }], commits: commits(0, 1) });
    model.run({ type: 'expire', lease: first });
    const lease = model.lease('r2');
    model.run({ type: 'report', lease, entries: [], commits: [...commits(0, 0, content), ...commits(2, 3)] });
    return { model, lease };
  }
  const whole: TaskEntry[] = [{ type: 'rendition', name: '360p', segments: 3 }];

  test('a take that begins in the middle makes the rendition whole with those before it, if their inits are equal', () => {
    const { model, lease } = resumed('a');
    const before = grant(model.job, 1000).committed.find(({ rendition }) => rendition === '360p');
    const runs = [
      { take: 1, from: 1, to: 1 },
      { take: 2, from: 2, to: 3 },
    ];
    expect(before).toEqual({ rendition: '360p', runs, init_sha256: 'a'.repeat(64), ended: false, whole: false });
    model.run({ type: 'report', lease, entries: whole, commits: [] });
    expect(model.job.whole['360p']).toEqual({ take: null, segments: 3 });
    expect(outputs(model.job).renditions['360p']?.whole?.map(({ n, take }) => [n, take])).toEqual([
      [1, 1],
      [2, 2],
      [3, 2],
    ]);
    const stored = namedObjects(outputs(model.job)).map(({ path }) => path);
    expect(new Set(stored.filter((path) => path.startsWith('360p/')))).toEqual(
      new Set(['360p/t1/init.mp4', '360p/t1/1.m4s', '360p/t2/2.m4s', '360p/t2/3.m4s']),
    );
  });

  test('takes with different inits make nothing whole together, and one of them alone does', () => {
    const { model, lease } = resumed('b');
    expect(grant(model.job, 1000).committed[0]?.init_sha256).toBeNull();
    const refused = () => model.run({ type: 'report', lease, entries: whole, commits: [] });
    expect(refused).toThrow(expect.objectContaining({ code: 'rendition_incomplete' }));
    model.run({ type: 'report', lease, entries: whole, commits: commits(1, 1) });
    expect(model.job.whole['360p']).toEqual({ take: lease, segments: 3 });
  });

  test('a last segment that is shorter than the grid says that a rendition has ended', () => {
    const model = created();
    const lease = model.lease('r1');
    const last = { ...commit('360p', 1), duration: 3.9 };
    model.run({ type: 'report', lease, entries: [{ type: 'plan', plan: PLAN }], commits: [commit('360p', 0), last] });
    expect(grant(model.job, 1000).committed).toMatchObject([{ rendition: '360p', ended: true, whole: false }]);
  });

  const progressAt = (speeds: number[]) => {
    const renditions = PLAN.video.map(({ name }, i) => ({
      name,
      resolution: '',
      percent: 10,
      fps: 30,
      speed: speeds[i] ?? 0,
    }));
    const details = { renditions, completed: 0, total: 2, eta_seconds: 1, attempt: 1 };
    return { type: 'progress' as const, stage: 'transcoding' as const, progress: 20, message: '', details };
  };
  const begin: TaskEntry[] = [
    { type: 'plan', plan: PLAN },
    { type: 'stage', stage: 'transcoding', message: '' },
  ];
  const segments = (name: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => commit(name, from + i));
  const shownOf = (model: JobModel, name: string) => outputs(model.job).renditions[name]?.published.length;

  test('a rung that joins takes nothing back from a playlist in use, the audio included', () => {
    const model = created();
    const lease = model.lease('r1');
    model.run({
      type: 'report',
      lease,
      entries: begin,
      commits: [...segments('audio', 0, 7), ...segments('360p', 0, 4)],
    });
    model.now += 1000;
    model.run({ type: 'report', lease, entries: [progressAt([3, 3])], commits: [] });
    expect([model.job.listed, shownOf(model, 'audio')]).toEqual([['360p'], 7]);
    model.run({ type: 'report', lease, entries: [], commits: segments('720p', 0, 3) });
    expect([model.job.listed, shownOf(model, 'audio')]).toEqual([['360p'], 7]);
    model.run({ type: 'report', lease, entries: [], commits: segments('720p', 4, 4) });
    expect([model.job.listed, shownOf(model, 'audio')]).toEqual([['360p', '720p'], 7]);
  });

  test('a slow rung does not keep a fast one out of the master', () => {
    const model = created();
    const lease = model.lease('r1');
    model.run({ type: 'report', lease, entries: begin, commits: commits(0, 1) });
    model.now += 1000;
    model.run({ type: 'report', lease, entries: [progressAt([5, 0.6])], commits: [] });
    expect(model.job.listed).toEqual(['360p']);
  });

  test('a rung is listed at once when it is whole, and before that only while it is encoded fast enough', () => {
    const model = created();
    const lease = model.lease('r1');
    model.run({ type: 'report', lease, entries: begin, commits: commits(0, 1) });
    model.now += 1000;
    model.run({ type: 'report', lease, entries: [progressAt([1.1, 1.1])], commits: [] });
    expect(model.job.listed).toEqual([]);
    const whole = [{ type: 'rendition' as const, name: '360p', segments: 1 }];
    model.run({ type: 'report', lease, entries: whole, commits: [] });
    expect(model.job.listed).toEqual(['360p']);
    model.now += 1000;
    model.run({ type: 'report', lease, entries: [progressAt([1.2, 1.2])], commits: [] });
    expect(model.job.listed).toEqual(['360p', '720p']);
    expect(model.log.filter(({ type }) => type === 'playable')).toHaveLength(2);
  });
});

describe('validation and artifacts', () => {
  test('a measured rendition is told once, with its VMAF, and moves the progress', () => {
    const model = created();
    const lease = model.work('r1');
    const report = (entries: TaskEntry[]) => model.run({ type: 'report', lease, entries, commits: [] });
    report([{ type: 'stage', stage: 'validation', message: 'Validating' }]);
    const measured = { type: 'validated' as const, name: '360p', vmaf: { mean: 91.25, samples: 160 } };
    expect(types(report([measured]))).toEqual(['rendition', 'progress']);
    expect(report([measured])).toEqual([]);
    expect(model.job.progress).toBe(62);
    expect(view(model.job).renditions.map(({ status, vmaf }) => [status, vmaf?.mean])).toEqual([
      ['validated', 91.25],
      ['stored', undefined],
    ]);
  });

  test('an artifact is playable once the job is complete', () => {
    const model = created();
    const lease = model.work('r1');
    const poster = { type: 'artifact' as const, name: 'poster' as const, files: [{ name: 'poster.jpg', bytes: 10 }] };
    model.run({ type: 'report', lease, entries: [poster], commits: [] });
    expect(view(model.job).playback.poster).toBeNull();
    model.run({ type: 'complete', lease, result: { duration_seconds: 12 }, artifacts: [] });
    expect(view(model.job).playback.poster).toBe(`/jobs/${model.job.job_id}/outputs/poster/t1/poster.jpg`);
  });
});

describe('cancel and retry', () => {
  test('a job can be cancelled until it ends; cancelling again changes nothing', () => {
    const model = created();
    expect(types(model.run({ type: 'cancel', by: 'the API' }))).toEqual(['cancelled']);
    expect(model.run({ type: 'cancel', by: 'the API' })).toEqual([]);
    const done = created();
    done.run({ type: 'complete', lease: done.work('r1'), result: { duration_seconds: 12 }, artifacts: [] });
    expect(() => done.run({ type: 'cancel', by: 'the API' })).toThrow(/is completed/);
  });

  test('retry begins a new run, for failed and cancelled jobs only', () => {
    const model = created();
    expect(() => model.run({ type: 'retry', by: 'the API' })).toThrow(/is pending/);
    model.run({ type: 'cancel', by: 'the API' });
    model.run({ type: 'retry', by: 'the API' });
    expect(model.job).toMatchObject({ status: 'pending', stage: 'uploading', progress: 10, attempt: 0, error: null });
    expect(model.job.run_seq).toBe(
      model.log.find((entry) => entry.type === 'state' && entry.data.details.state === 'retried')?.seq,
    );
    model.lease('r9');
    expect(model.job.status).toBe('processing');
  });
});
