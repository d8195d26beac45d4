/** Medians of all runs, their ratios against better-sse, and what was to be reached. */
import { goal, median, type Rows } from '../report.ts';
import { CASES } from './cases.ts';
import type { Kind } from './channels.ts';
import type { Measured } from './load.ts';

export interface Run {
  round: number;
  case: string;
  server: Kind;
  measured: Measured;
}

export type Metric = keyof Measured;

interface Goal {
  name: string;
  of: (server: Kind) => number;
  most: number;
}

export function medianOf(runs: readonly Run[], server: Kind, name: string, metric: Metric): number {
  const own = runs.filter((run) => run.server === server && run.case === name);
  return median(own.map(({ measured }) => measured[metric]));
}

/** One row for each case and server. */
export function table(runs: readonly Run[]): Rows {
  const rows: Rows = {};
  for (const { name } of CASES) {
    const servers = new Set(runs.filter((run) => run.case === name).map(({ server }) => server));
    for (const server of servers) {
      const of = (metric: Metric, digits: number): string => medianOf(runs, server, name, metric).toFixed(digits);
      rows[`${name} · ${server}`] = {
        'p50 ms': of('p50', 1),
        'p99 ms': of('p99', 1),
        'max ms': of('max', 1),
        'total ms': of('total', 0),
        '%': of('delivered', 2),
        gaps: of('gaps', 0),
        repeats: of('repeats', 0),
        'CPU µs': of('cpu', 1),
        'KB/watcher': of('memory', 1),
        'grew MB': of('growth', 1),
        'server load': of('server_load', 2),
        'client load': of('generator_load', 2),
      };
    }
  }
  return rows;
}

/** Each goal, and how far ours and nchan are from it. */
export function goals(runs: readonly Run[]): Rows {
  const ratio = (name: string, metric: Metric) => (server: Kind) =>
    medianOf(runs, server, name, metric) / medianOf(runs, 'better-sse', name, metric);
  const each = (server: Kind, metric: Metric): number =>
    runs.filter((run) => run.server === server).reduce((sum, { measured }) => sum + measured[metric], 0);
  const stuck = CASES.find(({ name }) => name === 'stuck')?.stuck ?? 1;
  const grown = (server: Kind): number =>
    (medianOf(runs, server, 'stuck', 'growth') - medianOf(runs, server, 'without stuck', 'growth')) / stuck;

  const all: Goal[] = [
    { name: 'W=1000 p99 / better-sse', of: ratio('W=1000', 'p99'), most: 1.3 },
    { name: 'W=1000 CPU per delivery / better-sse', of: ratio('W=1000', 'cpu'), most: 1.6 },
    { name: 'W=1000 memory per watcher / better-sse', of: ratio('W=1000', 'memory'), most: 1.4 },
    { name: 'W=3000 p99 / better-sse', of: ratio('W=3000', 'p99'), most: 2.5 },
    { name: 'W=3000 CPU per delivery / better-sse', of: ratio('W=3000', 'cpu'), most: 1.6 },
    { name: 'W=3000 memory per watcher / better-sse', of: ratio('W=3000', 'memory'), most: 1.4 },
    { name: 'burst, total time / better-sse', of: ratio('burst', 'total'), most: 0.7 },
    {
      name: 'p99 with stuck clients / without',
      of: (server) => medianOf(runs, server, 'stuck', 'p99') / medianOf(runs, server, 'without stuck', 'p99'),
      most: 1.5,
    },
    { name: 'MB per stuck client', of: grown, most: 0.5 },
    { name: 'gaps and repeats', of: (server) => each(server, 'gaps') + each(server, 'repeats'), most: 0 },
    { name: 'least delivered, % short', of: (server) => 100 - least(runs, server), most: 0 },
  ];
  const columns = (['reelwire', 'better-sse', 'hub', 'nchan'] as const).filter((kind) =>
    runs.some(({ server }) => server === kind),
  );
  return Object.fromEntries(
    all.map(({ name, of, most }) => {
      const row = columns.map((kind) => [kind, show(of(kind))] as const);
      return [name, { ...Object.fromEntries(row), ...goal(of('reelwire'), most) }];
    }),
  );
}

const least = (runs: readonly Run[], server: Kind): number =>
  Math.min(...runs.filter((run) => run.server === server).map(({ measured }) => measured.delivered));

const show = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '-');
