/** What a job costs: counted from its log, priced by the published prices. */
import { describe, expect, test } from 'vitest';
import { Entry } from '../../src/contract/entries.ts';
import { countsOf } from '../../tools/cost/counts.ts';
import { includedText, plain } from '../../tools/cost/numbers.ts';
import { dollars, ITEMS, PRICES } from '../../tools/cost/prices.ts';

const JOB = '11111111-2222-4333-8444-555555555555';
const visible = {
  job_id: JOB,
  status: 'processing',
  stage: 'transcoding',
  progress: 10,
  message: 'm',
  timestamp: '2026-11-20T10:00:00.000Z',
};
const commit = (rendition: string, n: number) => ({
  ...{ rendition, n, duration: n === 0 ? 0 : 4, bytes: 1_000_000, sha256: 'a'.repeat(64), take: 1 },
  keyframe: rendition === 'audio' || n === 0 ? null : { offset: 0, length: 10 },
});

/** 20 MB came in, 10 s of work made 6 segments of one rung and its sound, and a poster. */
const LOG = [
  {
    type: '_job',
    at: 0,
    data: {
      job_id: JOB,
      key: 'k',
      bucket: 'b',
      source: { size_bytes: 20e6, content_type: 'video/mp4' },
      options: {},
      metadata: {},
    },
  },
  {
    type: 'state',
    at: 0,
    data: { ...visible, status: 'pending', details: { state: 'queued', attempt: 0, transcoder: null } },
  },
  { type: '_lease', at: 5_000, data: { task: 'main', lease: 1, transcoder: 't', request_id: 'r' } },
  {
    type: '_segments',
    at: 9_000,
    data: { commits: [0, 1, 2].flatMap((n) => [commit('360p', n), commit('audio', n)]) },
  },
  { type: '_artifact', at: 9_500, data: { name: 'poster', take: 1, files: [{ name: 'poster.jpg', bytes: 50_000 }] } },
  { type: 'error', at: 15_000, data: { ...visible, status: 'failed', details: { code: 'internal', retryable: true } } },
].map((entry, index) => Entry.parse({ seq: index + 1, ...entry }));

describe('counts', () => {
  test('are those that follow from the log', () => {
    expect(countsOf(LOG, { watchers: 0, plays: 0, days: 30 })).toEqual({
      worker_requests: 1 + 3 + 30 + 7,
      object_requests: 3 + 3 + (3 + 30 + 7) + 1,
      object_gb_seconds: (10 + 10) * 0.128,
      rows_written: 6 + 60 + 3,
      queue_operations: 3,
      r2_class_a: 2 + 3 + 7 + 0 + 1 + 3,
      r2_class_b: 2,
      r2_gb_months: (20e6 + 6e6 + 50_000) / 1e9,
    });
  });

  test('grow with watchers by a request each, with plays by every segment, and not in the time that is billed', () => {
    const none = countsOf(LOG, { watchers: 0, plays: 0, days: 30 });
    const watched = countsOf(LOG, { watchers: 100, plays: 0, days: 30 });
    expect(watched).toEqual({
      ...none,
      worker_requests: none.worker_requests + 100,
      object_requests: none.object_requests + 100,
    });
    const played = countsOf(LOG, { watchers: 0, plays: 2, days: 30 });
    expect(played.worker_requests - none.worker_requests).toBe(2 * (3 + 6));
    expect(played.r2_class_b - none.r2_class_b).toBe(2 * (3 + 6) * 3);
  });
});

test('an item costs its price for each unit', () => {
  for (const item of ITEMS) expect(dollars(item, PRICES[item].per)).toBe(PRICES[item].dollars);
  expect(dollars('object_gb_seconds', 3600 * 0.128)).toBeCloseTo(0.00576, 6);
});

test('numbers are written out', () => {
  expect([3, 1_234_567, 5341.5, 8.149, 0.014555].map(plain)).toEqual(['3', '1,234,567', '5,340', '8.15', '0.0146']);
  expect(includedText('r2_gb_months', 0.2173)).toBe('  (46 times as much is included a month)');
  expect(includedText('rows_written', 277_777)).toBe('  (180 times as much is included a month)');
  expect(includedText('r2_gb_months', 76)).toBe('  (13.2% of it is included a month)');
  expect(includedText('r2_gb_months', 0)).toBe('');
});
