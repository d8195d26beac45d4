/** Medians of the three, their ratios, and whether these count: only renditions as good and as small are as much work. */
import { bars } from '../bars.ts';
import { goal, median, type Rows } from '../report.ts';
import type { Measured } from './measure.ts';
import type { OurRun } from './ours.ts';

export interface Runs {
  script: Measured[];
  ours: OurRun[];
  limit: Measured[];
}

export interface Quality {
  rung: string;
  vmaf: { script: number; ours: number; ours_sampled: number };
  bytes: { script: number; ours: number };
}

/** Seconds to the first playable segment, by the length of the clip in seconds. */
export interface FirstPlayable {
  10: number;
  60: number;
}

const VMAF_LESS = 0.5;
const BYTES_MORE = 1.05;

/** Of the script nothing can be played before its end; of the limit nothing at all. */
export function table(runs: Runs): Rows {
  const row = (measured: readonly Measured[], playable: number | null) => ({
    'wall, s': of(measured, 'wall_seconds').toFixed(1),
    'CPU, s': of(measured, 'cpu_seconds').toFixed(1),
    'peak memory, MB': of(measured, 'peak_memory_mb').toFixed(0),
    'first playable, s': playable?.toFixed(1) ?? '-',
  });
  return {
    script: row(runs.script, of(runs.script, 'wall_seconds')),
    ours: row(runs.ours, playableOf(runs)),
    limit: row(runs.limit, null),
  };
}

export function ratios(runs: Runs, first: FirstPlayable): Rows {
  const { script, ours, limit } = runs;
  const wall = of(script, 'wall_seconds');
  const all = [
    { name: 'CPU / script', ratio: of(ours, 'cpu_seconds') / of(script, 'cpu_seconds'), most: 0.33 },
    { name: 'wall / script', ratio: of(ours, 'wall_seconds') / wall, most: 0.35 },
    { name: 'first playable / script', ratio: playableOf(runs) / wall, most: 0.07 },
    { name: 'peak memory / script', ratio: of(ours, 'peak_memory_mb') / of(script, 'peak_memory_mb'), most: null },
    { name: 'wall / limit', ratio: of(ours, 'wall_seconds') / of(limit, 'wall_seconds'), most: 2.2 },
    { name: 'first playable, clip of 60 s / of 10 s', ratio: first[60] / first[10], most: 1.5 },
  ];
  return Object.fromEntries(
    all.map(({ name, ratio, most }) => [name, { ours: ratio.toFixed(3), ...goal(ratio, most) }]),
  );
}

export function qualities(quality: readonly Quality[]): Rows {
  const row = ({ vmaf, bytes }: Quality) => ({
    'VMAF script': vmaf.script.toFixed(2),
    'VMAF ours': vmaf.ours.toFixed(2),
    'ours, sampled': vmaf.ours_sampled.toFixed(2),
    'size / script': (bytes.ours / bytes.script).toFixed(3),
  });
  return Object.fromEntries(quality.map((one) => [one.rung, row(one)]));
}

/** Whether the ratios count, as a sentence. */
export function verdict(quality: readonly Quality[]): string {
  const isEqual = quality.every(
    ({ vmaf, bytes }) => vmaf.ours >= vmaf.script - VMAF_LESS && bytes.ours <= BYTES_MORE * bytes.script,
  );
  return isEqual ? 'Quality and size are equal: the ratios count.' : 'Quality or size differ: the ratios do not count.';
}

export function plot(runs: Runs): string {
  const relative = (key: keyof Measured) => {
    const script = of(runs.script, key);
    return [of(runs.ours, key) / script, 1, of(runs.limit, key) / script];
  };
  const groups = [
    { name: 'wall', values: relative('wall_seconds') },
    { name: 'CPU', values: relative('cpu_seconds') },
    { name: 'first playable', values: [playableOf(runs) / of(runs.script, 'wall_seconds'), 1, null] },
  ];
  return bars('The pipeline, relative to the script', ['ours', 'script', 'limit'], groups, 2);
}

const of = (runs: readonly Measured[], key: keyof Measured): number => median(runs.map((run) => run[key]));

const playableOf = ({ ours }: Runs): number => median(ours.map(({ first_playable_seconds }) => first_playable_seconds));
