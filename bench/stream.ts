/**
 * `npm run bench -- stream [--runs N] [--server NAME]... [--case NAME]...`: our event stream beside better-sse, a hub
 * by hand on node:http, and nchan where it is installed. Every case gets a fresh server and a fresh load generator; the
 * servers take turns within a round. All runs of a full benchmark are kept in bench/results/stream.json, tables and
 * plots in docs/benchmarks; a part of it is only printed.
 */
import { readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, OPEN_FILES, PACED } from './stream/cases.ts';
import { Kind } from './stream/channels.ts';
import { plot } from './stream/plot.ts';
import { bundleWorker, measureCase } from './stream/processes.ts';
import { goals, type Metric, markdown, median, type Run, table } from './stream/report.ts';
import { findNchan } from './stream/servers/find-nchan.ts';

const RESULTS = join(import.meta.dirname, 'results');
const PLOTS = join(import.meta.dirname, '../docs/benchmarks');

const { values } = parseArgs({
  options: {
    /** How often everything is done; 5. */
    runs: { type: 'string', default: '5' },
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
const isWhole = cases.length === CASES.length && values.server.length === Kind.options.length;
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
  if (isWhole) await keep();
}
console.table(table(runs));
console.table(goals(runs));

async function keep(): Promise<void> {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
  const result = { machine, date: new Date().toISOString(), table: table(runs), goals: goals(runs), runs };
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'stream.json'), `${JSON.stringify(result, null, 2)}\n`);
  await mkdir(PLOTS, { recursive: true });
  const runsMade = `Medians of ${runs.at(-1)?.round} runs on ${machine.cores} cores (${machine.cpu}), Node ${machine.node}.`;
  const page = ['# The event stream: results', runsMade, markdown(goals(runs)), markdown(table(runs))];
  await writeFile(join(PLOTS, 'stream.md'), page.join('\n\n'));
  await draw('latency', 'p99 latency, ms', 'p99');
  await draw('cpu', 'CPU per delivery, µs', 'cpu');
  await draw('memory', 'Memory per watcher, KB', 'memory');
}

async function draw(file: string, title: string, metric: Metric): Promise<void> {
  const lines = servers.map((name) => {
    const points = PACED.filter(({ watchers }) => watchers > 1 || metric === 'p99').map((one) => ({
      x: one.watchers,
      y: median(runs, name, one.name, metric),
    }));
    return { name, points };
  });
  await writeFile(join(PLOTS, `${file}.svg`), plot(title, 'watchers', lines));
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
