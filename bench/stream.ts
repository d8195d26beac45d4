/**
 * `npm run bench -- stream [--runs N] [--server NAME]... [--case NAME]...`: our event stream beside better-sse, a hub
 * by hand on node:http, and nchan where it is installed. Every case gets a fresh server and a fresh load generator; the
 * servers take turns within a round. All runs of a full benchmark are kept in bench/results/stream.json, tables and
 * plots in docs/benchmarks; a smaller one is only printed.
 */
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keep } from './report.ts';
import { CASES, OPEN_FILES, PACED } from './stream/cases.ts';
import { Kind } from './stream/channels.ts';
import { plot } from './stream/plot.ts';
import { bundleWorker, measureCase } from './stream/processes.ts';
import { goals, type Metric, medianOf, type Run, table } from './stream/report.ts';
import { findNchan } from './stream/servers/find-nchan.ts';

const RUNS = 5;

const { values } = parseArgs({
  options: {
    /** How often everything is done; 5. */
    runs: { type: 'string', default: String(RUNS) },
    /** Which servers; all. */
    server: { type: 'string', multiple: true, default: Kind.options },
    /** Which cases; all. */
    case: { type: 'string', multiple: true, default: CASES.map(({ name }) => name) },
  },
});
const rounds = Number(values.runs);
if (!Number.isInteger(rounds) || rounds < 1) usage(`--runs ${values.runs} is no number of runs`);
const cases = values.case.map((name) => known(CASES, name, ({ name: other }) => other));
const hasNchan = findNchan() !== null;
const servers = values.server
  .map((name) => known(Kind.options, name, (kind) => kind))
  .filter((kind) => kind !== 'nchan' || hasNchan);
const isWhole = rounds >= RUNS && cases.length === CASES.length && values.server.length === Kind.options.length;
if (!hasNchan) say('SKIPPED: nchan. No nginx with nchan is installed (Debian: nginx, libnginx-mod-nchan).');
checkOpenFiles();

const folder = await mkdtemp(join(tmpdir(), 'reelwire-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

say('Bundling the Worker ...');
await bundleWorker(folder);
const runs: Run[] = [];
for (let round = 1; round <= rounds; round++) {
  for (const one of cases) {
    for (const server of servers) {
      say(`Run ${round} of ${rounds}: ${one.name}, ${server} ...`);
      const measured = await measureCase(server, one, folder);
      runs.push({ round, case: one.name, server, measured });
    }
  }
  if (isWhole) await keepAll(round);
}
console.table(table(runs));
console.table(goals(runs));

async function keepAll(round: number): Promise<void> {
  const [all, reached] = [table(runs), goals(runs)];
  const plots = {
    latency: draw('p99 latency, ms', 'p99'),
    cpu: draw('CPU per delivery, µs', 'cpu'),
    memory: draw('Memory per watcher, KB', 'memory'),
  };
  const page = { title: 'The event stream', made: `Medians of ${round} runs`, parts: [reached, all], plots };
  await keep('stream', { table: all, goals: reached, runs }, page);
}

function draw(title: string, metric: Metric): string {
  const lines = servers.map((name) => {
    const points = PACED.filter(({ watchers }) => watchers > 1 || metric === 'p99').map((one) => ({
      x: one.watchers,
      y: medianOf(runs, name, one.name, metric),
    }));
    return { name, points };
  });
  return plot(title, 'watchers', lines);
}

function checkOpenFiles(): void {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  if (Number(soft) >= OPEN_FILES) return;
  usage(
    `The largest case needs ${OPEN_FILES} open files; here ${soft} are allowed. Run \`ulimit -n ${OPEN_FILES}\` before.`,
  );
}

function known<T>(all: readonly T[], name: string, nameOf: (one: T) => string): T {
  const found = all.find((one) => nameOf(one) === name);
  return found ?? usage(`There is no ${name}. There are: ${all.map(nameOf).join(', ')}`);
}

function usage(text: string): never {
  say(text);
  process.exit(2);
}

function say(text: string): void {
  console.error(text);
}
