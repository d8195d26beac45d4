/** What the displays make of events: on terminals that are narrow or low, with several videos, and of large files. */
import { describe, expect, test } from 'vitest';
import { Bars } from '../../cli/display/bars.ts';
import { Pace } from '../../cli/display/pace.ts';
import { table } from '../../cli/display/table.ts';
import { ageText, bitrateText, durationText, sizeText } from '../../cli/display/units.ts';
import type { EventData, StreamEvent } from '../../client/index.ts';
import { Screen } from './screen.ts';

const DATA: Omit<EventData['stage'], 'message' | 'details'> = {
  ...{ job_id: '00000000-0000-4000-8000-000000000000', status: 'processing', stage: 'transcoding' },
  ...{ progress: 30, timestamp: '2026-01-01T00:00:00.000Z' },
};

function encoding(percent: number, names: string[]): StreamEvent {
  const renditions = names.map((name) => ({ name, resolution: '', percent, fps: 50, speed: 1.5 }));
  const details = { renditions, completed: 0, total: names.length, eta_seconds: 3700, attempt: 1 };
  return { event: 'progress', id: 2, data: { ...DATA, message: 'Transcoding: 40 %', details } };
}

const cancelled: StreamEvent = {
  ...{ event: 'cancelled', id: 3 },
  data: { ...DATA, status: 'cancelled', message: 'Cancelled', details: { by: 'you' } },
};

describe('bars', () => {
  test.each([
    [100, 'transcoding    █████████░░░░░░░░░░░░░░░░░░░░░  30% of the job, Transcoding: 40 %, 1 h 1 min left'],
    [60, 'transcoding    ██░░░░░░  30% of the job, Transcoding: 40 %,…'],
  ])('on %i columns no row is longer', (columns, first) => {
    const screen = new Screen(columns, 24);
    const bars = new Bars(false, screen);
    bars.event('holiday.mp4', encoding(50, ['1080p', '360p']));
    bars.end();
    expect(screen.last).toEqual([
      first,
      expect.stringMatching(/^ {2}1080p {8}█+░+ {2}50% 1\.5x$/),
      expect.stringMatching(/^ {2}360p {9}█+░+ {2}50% 1\.5x$/),
    ]);
  });

  test('the row of an upload gives way to that of its job', () => {
    const screen = new Screen(100, 24);
    const bars = new Bars(false, screen);
    bars.sent('holiday.mp4', { sent: 5e6, total: 20e6 });
    bars.note('Something else');
    expect(screen.all).toMatch(/Something else\n\s*upload +█+░+ +25% 5\.0 MB of 20\.0 MB/);
    bars.event('holiday.mp4', encoding(50, []));
    bars.end();
    expect(screen.last).toEqual([expect.stringMatching(/^transcoding .* 30% /)]);
  });

  test('of several videos each row says which; the renditions of those that have ended are gone', () => {
    const screen = new Screen(100, 24);
    const bars = new Bars(true, screen);
    bars.event('holiday.mp4', encoding(50, ['360p']));
    bars.event('a video with a long name.mp4', encoding(20, ['360p']));
    bars.event('holiday.mp4', cancelled);
    bars.end();
    expect(screen.last).toEqual([
      expect.stringMatching(/^holiday\.mp4 {6}transcoding .* 30% of the job, Cancelled$/),
      expect.stringMatching(/^a video with a … transcoding .* 30% /),
      expect.stringMatching(/^a video with a … {3}360p .* 20% 1\.5x$/),
    ]);
  });

  test('there are no more rows than the terminal has', () => {
    const screen = new Screen(100, 5);
    const bars = new Bars(false, screen);
    bars.event('holiday.mp4', encoding(50, ['1080p', '720p', '480p', '360p']));
    bars.end();
    expect(screen.last).toHaveLength(3);
  });
});

test('a pace is that of the last ten seconds, and is not told before there is one', () => {
  const pace = new Pace();
  pace.add(0, 0);
  expect([pace.perSecond, pace.secondsTo(100)]).toEqual([null, null]);
  pace.add(10, 1000);
  expect([pace.perSecond, pace.secondsTo(100)]).toEqual([10, 9]);
  for (let second = 2; second <= 31; second += 1) pace.add(10 + second, second * 1000);
  expect(pace.perSecond).toBeCloseTo(1);
  pace.add(0, 32_000);
  expect(pace.perSecond).toBeNull();
});

test('columns are as wide as what is in them, in cells of the terminal', () => {
  const rows = [
    ['ID', 'NAME'],
    ['漢字', 'as it is'],
    ['a', '漢字漢字漢字'],
  ];
  expect(table(rows, Number.POSITIVE_INFINITY)).toEqual(['ID    NAME', '漢字  as it is', 'a     漢字漢字漢字']);
  expect(table(rows, 12)).toEqual(['ID    NAME', '漢字  as it…', 'a     漢字…']);
});

test.each([
  [durationText(0), '0 s'],
  [durationText(59.6), '1 min'],
  [durationText(3725), '1 h 2 min'],
  [durationText(7201), '2 h'],
  [durationText(90_000), '1 d 1 h'],
  [ageText('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:59Z')), '3 min'],
  [sizeText(999), '1.0 kB'],
  [sizeText(1_234_567_890), '1.2 GB'],
  [bitrateText(799_600), '800 kbit/s'],
  [bitrateText(5_440_000), '5.4 Mbit/s'],
])('%s', (text, expected) => {
  expect(text).toBe(expected);
});
