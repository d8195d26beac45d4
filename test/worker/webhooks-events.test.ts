/** What endpoints are told of a job: a pure projection of its log. */
import { describe, expect, test } from 'vitest';
import { isVisible, type VisibleEntry } from '../../src/contract/entries.ts';
import { MAX_BODY_BYTES, WebhookEvent } from '../../src/contract/webhooks.ts';
import { webhookEvents } from '../../src/durable/job/webhook-events.ts';
import { CREATE, JobModel } from '../unit/commands.ts';

const visible = (job: JobModel): VisibleEntry[] => job.log.filter(isVisible);

/** As the log of an object tells it. */
const opens = (entries: readonly VisibleEntry[]) => (seq: number) => {
  const before = entries.filter((entry) => entry.seq < seq).toReversed();
  const last = before.find(
    (entry) => entry.type === 'playable' || (entry.type === 'state' && entry.data.details.state === 'retried'),
  );
  return last?.type !== 'playable';
};

function told(job: JobModel, progressFrom: number | null = null): { type: string; seq: number; event: WebhookEvent }[] {
  const { events } = webhookEvents(job.job, visible(job), opens(visible(job)), progressFrom);
  return events.map(({ type, seq, body }) => ({ type, seq, event: WebhookEvent.parse(JSON.parse(body)) }));
}

/** A job up to its end. */
function completed(artifacts = 0): JobModel {
  const job = new JobModel();
  job.run({ ...CREATE, key: 'clip', metadata: { order: '7' } });
  const lease = job.work('r1');
  job.run({
    type: 'complete',
    lease,
    result: { duration_seconds: 12 },
    artifacts: Array.from({ length: artifacts }, (_, n) => ({
      name: `720p/${n}.m4s`,
      path: `/jobs/x/outputs/720p/t1/${n}.m4s`,
      type: 'video/mp4',
      size_bytes: n,
    })),
  });
  return job;
}

test('a job that completes is created, playable and completed; each event says what the log said then', () => {
  const job = completed(1);
  const events = told(job);
  expect(events.map(({ type }) => type)).toEqual(['job.created', 'job.playable', 'job.completed']);
  for (const { seq, type, event } of events) {
    const entry = visible(job).find((one) => one.seq === seq);
    const { message, status, stage, progress, timestamp } = entry?.data ?? {};
    const about = { job_id: CREATE.job_id, key: 'clip', metadata: { order: '7' }, seq };
    expect(event).toMatchObject({ type, timestamp, data: { ...about, message, status, stage, progress } });
  }
  expect(events[2]?.event.data).toMatchObject({
    result: { duration_seconds: 12, artifacts: [{ name: '720p/0.m4s' }] },
  });
});

test('a run is playable once; the next run may be so again', () => {
  const job = completed();
  const [created, ...others] = visible(job);
  const playable = others.find(({ type }) => type === 'playable');
  if (!created || playable?.type !== 'playable') return expect.unreachable();
  const at = (seq: number): VisibleEntry => ({ ...playable, seq });
  const details = { state: 'retried', attempt: 0, transcoder: null, by: null } as const;
  const retried: VisibleEntry = { seq: 30, type: 'state', at: 0, data: { ...created.data, details } };
  const entries = [created, at(10), at(20), retried, at(40), at(50)];
  const seqs = (some: readonly VisibleEntry[]) =>
    webhookEvents(job.job, some, opens(entries), null).events.map(({ seq }) => seq);
  expect(seqs(entries)).toEqual([created.seq, 10, 40]);
  expect(seqs(entries.slice(2))).toEqual([40]);
});

test('a job that fails says why, one that is cancelled says by whom', () => {
  const failed = new JobModel();
  failed.run(CREATE);
  const error = { code: 'not_media', message: 'This is no video.', retryable: false } as const;
  failed.run({ type: 'fail', lease: failed.lease('r1'), error });
  expect(told(failed).at(-1)).toMatchObject({ type: 'job.failed', event: { data: { status: 'failed', error } } });

  const cancelled = new JobModel();
  cancelled.run(CREATE);
  cancelled.run({ type: 'cancel', by: 'key ci-bot' });
  expect(told(cancelled).at(-1)).toMatchObject({ type: 'job.cancelled', event: { data: { by: 'key ci-bot' } } });
});

describe('progress', () => {
  const job = completed();
  const [first] = visible(job).filter(({ type }) => type === 'progress');
  const details = { renditions: [], completed: 0, total: 1, eta_seconds: 42, attempt: 1 };
  const entries = [0, 1, 9, 10, 11, 19, 20, 35].map((second, i): VisibleEntry => {
    if (first?.type !== 'progress') throw new Error('No progress');
    return { ...first, seq: i + 1, at: second * 1000, data: { ...first.data, details } };
  });
  const of = (some: readonly VisibleEntry[], from: number | null) => webhookEvents(job.job, some, () => true, from);
  const seconds = (some: readonly VisibleEntry[], from: number | null) =>
    of(some, from).events.map(({ seq }) => (entries[seq - 1]?.at ?? 0) / 1000);

  test('is told at most every ten seconds, and only to those who ask', () => {
    expect(seconds(entries, 0)).toEqual([0, 10, 20, 35]);
    expect(seconds(entries, null)).toEqual([]);
    expect(JSON.parse(of(entries, 0).events[0]?.body ?? '{}')).toMatchObject({ data: { eta_seconds: 42 } });
  });

  test('is the same in whatever portions the log is read', () => {
    for (let cut = 1; cut < entries.length; cut++) {
      const head = of(entries.slice(0, cut), 0);
      const all = [...seconds(entries.slice(0, cut), 0), ...seconds(entries.slice(cut), head.progressFrom)];
      expect(all).toEqual([0, 10, 20, 35]);
    }
  });
});

test.each([
  [100, true],
  [1000, false],
])('a result with %i artifacts fits, with its list: %s', (count, withList) => {
  const job = completed(count);
  const { events } = webhookEvents(job.job, visible(job), opens(visible(job)), null);
  const body = events.at(-1)?.body ?? '';
  expect(new TextEncoder().encode(body).length).toBeLessThanOrEqual(MAX_BODY_BYTES);
  const event = WebhookEvent.parse(JSON.parse(body));
  if (event.type !== 'job.completed') return expect.unreachable();
  expect(event.data.result.artifacts !== null).toBe(withList);
  expect(event.data.result.playback.hls).toMatch(/master\.m3u8$/);
});
