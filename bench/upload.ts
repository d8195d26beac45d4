/**
 * `npm run bench -- upload [--runs N] [--mib N]`: one file in one body to `POST /process`, the same file over tus in
 * pieces of 32 MiB, and over tus to @tus/server with its file store. Every run gets a fresh server, the ways take turns.
 * All runs of a full benchmark are kept in bench/results/upload.json, table and plot in docs/benchmarks; a smaller one is
 * only printed.
 */
import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bars } from './bars.ts';
import { goal, keep, median, type Rows } from './report.ts';
import { bundleWorker, withServer } from './stream/processes.ts';
import { cpuMicroseconds } from './stream/tree.ts';
import { scriptOf, sendBy, WAYS, type Way } from './upload/ways.ts';

const MIB = 2 ** 20;
const MOST = 1.3;
const RUNS = 5;
const MEBIBYTES = 512;

interface Run {
  round: number;
  way: Way;
  seconds: number;
  /** Of the server's process tree. */
  server_cpu_seconds: number;
}

const { values } = parseArgs({
  options: {
    /** How often everything is done; 5. */
    runs: { type: 'string', default: String(RUNS) },
    /** How large the file is, in MiB; 512. */
    mib: { type: 'string', default: String(MEBIBYTES) },
  },
});
const [rounds, mebibytes] = [Number(values.runs), Number(values.mib)];
if (!(Number.isInteger(rounds) && rounds > 0 && Number.isInteger(mebibytes) && mebibytes > 0)) {
  console.error('--runs and --mib are numbers from 1');
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'reelwire-bench-'));
const [bundle, files] = [join(folder, 'worker'), join(folder, 'files')];
try {
  console.error('Bundling the Worker, making the file ...');
  await bundleWorker(bundle);
  const path = join(folder, 'file');
  await makeFile(path);
  await sendAll(WAYS, path, 0);
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round++) runs.push(...(await sendAll(turned(round), path, round)));
  if (rounds >= RUNS && mebibytes === MEBIBYTES) await keepAll(runs);
  console.table(table(runs));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** So that none is always the first, or always after the same other. */
function turned(round: number): Way[] {
  return [...WAYS.slice(round % WAYS.length), ...WAYS.slice(0, round % WAYS.length)];
}

async function sendAll(ways: readonly Way[], path: string, round: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (const way of ways) {
    console.error(round === 0 ? `Warming up: ${way} ...` : `Run ${round} of ${rounds}: ${way} ...`);
    runs.push({ round, way, ...(await measure(way, path)) });
  }
  return runs;
}

function measure(way: Way, path: string): Promise<Pick<Run, 'seconds' | 'server_cpu_seconds'>> {
  return withServer(scriptOf(way), [way === '@tus/server' ? files : bundle], async ({ port, pid }) => {
    const url = `http://127.0.0.1:${port}`;
    await sendBy(way, url, new Blob(['the first request does more']));
    const file = await openAsBlob(path);
    const [begun, cpu] = [performance.now(), cpuMicroseconds(pid)];
    await sendBy(way, url, file);
    return { seconds: (performance.now() - begun) / 1000, server_cpu_seconds: (cpuMicroseconds(pid) - cpu) / 1e6 };
  });
}

async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let n = 0; n < mebibytes; n++) await file.write(randomBytes(MIB));
  } finally {
    await file.close();
  }
}

function medianOf(runs: readonly Run[], way: Way, metric: 'seconds' | 'server_cpu_seconds'): number {
  return median(runs.filter((run) => run.way === way).map((run) => run[metric]));
}

function megabytesPerSecond(runs: readonly Run[], way: Way): number {
  return (mebibytes * MIB) / 1e6 / medianOf(runs, way, 'seconds');
}

function table(runs: readonly Run[]): Rows {
  const row = (way: Way) => {
    const seconds = runs.filter((run) => run.way === way).map((run) => run.seconds);
    const ratio = median(seconds) / medianOf(runs, 'raw', 'seconds');
    return {
      seconds: median(seconds).toFixed(2),
      'fastest to slowest': `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}`,
      'MB/s': megabytesPerSecond(runs, way).toFixed(0),
      'server CPU, s': medianOf(runs, way, 'server_cpu_seconds').toFixed(2),
      '/ raw': ratio.toFixed(2),
      ...goal(ratio, way === 'tus' ? MOST : null),
    };
  };
  return Object.fromEntries(WAYS.map((way) => [way, row(way)]));
}

async function keepAll(runs: readonly Run[]): Promise<void> {
  const made = `${mebibytes} MiB, medians of ${rounds} runs`;
  const groups = WAYS.map((name) => ({ name, values: [megabytesPerSecond(runs, name)] }));
  const plots = { upload: bars('Uploads, MB/s', ['MB/s'], groups, 0) };
  const page = { title: 'Uploads', made, parts: [table(runs)], plots };
  await keep('upload', { mebibytes, table: table(runs), runs }, page);
}
