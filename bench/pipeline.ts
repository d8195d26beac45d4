/**
 * `npm run bench`: the pipeline side by side. Three rounds, interleaved, of (a) the script a user would write, (b) our
 * transcoder alone, (c) the limit; medians and ratios. The ratios count only if our renditions are as good (full VMAF
 * at least (a)'s - 0.5) and as small (at most 1.05 x). Every run is kept in bench/results/pipeline.json.
 */
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../transcoder-node/media/capabilities.ts';
import { makeClip } from './pipeline/clip.ts';
import { type Measured, measure } from './pipeline/measure.ts';
import { assemble, firstPlayable, type OurRun, ours } from './pipeline/ours.ts';
import { fullVmaf, limit, meanOf, RUNGS, userScript } from './pipeline/script.ts';

const ROUNDS = 3;
const SECONDS = 20;
const RESULTS = join(import.meta.dirname, 'results');

interface Quality {
  rung: string;
  vmaf: { script: number; ours: number; ours_sampled: number };
  bytes: { script: number; ours: number };
}

const folder = await mkdtemp(join(tmpdir(), 'reelwire-bench-'));
try {
  const tools = await findBinaries({}, folder, new AbortController().signal);
  const clip = join(folder, 'clip.mp4');
  say(`Making a clip of ${SECONDS} s ...`);
  await makeClip(tools.ffmpeg, clip, SECONDS);

  const runs: { a: Measured[]; b: OurRun[]; c: Measured[] } = { a: [], b: [], c: [] };
  let quality: Quality[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    say(`Round ${round} of ${ROUNDS}: the script ...`);
    runs.a.push(await measure(userScript(tools, clip, folder)));
    say('  our transcoder ...');
    const { run, job } = await ours(clip, folder);
    runs.b.push(run);
    say('  the limit ...');
    runs.c.push(await measure(limit(tools, clip)));
    if (round < ROUNDS) continue;
    say('Comparing the quality, every frame ...');
    quality = await Promise.all(RUNGS.map((rung) => compare(rung, run, (path) => assemble(job, `${rung}p`, path))));
  }

  const first = await firstPictures(10, 60);
  const result = {
    machine: machine(),
    clip_seconds: SECONDS,
    runs,
    quality,
    first_playable: first,
    ...verdict(runs, quality),
  };
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'pipeline.json'), `${JSON.stringify(result, null, 2)}\n`);
  print(result);

  async function compare(rung: number, run: OurRun, store: (path: string) => Promise<void>): Promise<Quality> {
    const [file, log] = [join(folder, `ours-${rung}.mp4`), join(folder, `ours-${rung}.json`)];
    await store(file);
    await measure(['bash', '-ec', fullVmaf(tools.ffmpeg, clip, file, log)]);
    const script = {
      vmaf: meanOf(join(folder, `${rung}.json`)),
      bytes: (await stat(join(folder, `${rung}.mp4`))).size,
    };
    return {
      rung: `${rung}p`,
      vmaf: { script: script.vmaf, ours: meanOf(log), ours_sampled: run.vmaf[`${rung}p`] ?? Number.NaN },
      bytes: { script: script.bytes, ours: run.bytes[`${rung}p`] ?? Number.NaN },
    };
  }

  /** Seconds to the first playable segment of a short and a long clip. */
  async function firstPictures(...lengths: number[]): Promise<Record<string, number>> {
    const seconds: Record<string, number> = {};
    for (const length of lengths) {
      say(`First picture of ${length} s ...`);
      const path = join(folder, `clip-${length}.mp4`);
      await makeClip(tools.ffmpeg, path, length);
      seconds[length] = await firstPlayable(path, folder);
    }
    return seconds;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function verdict(runs: { a: Measured[]; b: OurRun[]; c: Measured[] }, quality: Quality[]) {
  const [a, b, c] = [median(runs.a, 'wall_seconds'), median(runs.b, 'wall_seconds'), median(runs.c, 'wall_seconds')];
  const playable = middle(runs.b.map(({ first_playable_seconds }) => first_playable_seconds));
  return {
    ratios: {
      cpu: median(runs.b, 'cpu_seconds') / median(runs.a, 'cpu_seconds'),
      wall: b / a,
      first_playable: playable / a,
      peak_memory: median(runs.b, 'peak_memory_mb') / median(runs.a, 'peak_memory_mb'),
      wall_against_limit: b / c,
    },
    counts: quality.every(({ vmaf, bytes }) => vmaf.ours >= vmaf.script - 0.5 && bytes.ours <= 1.05 * bytes.script),
  };
}

function print({
  ratios,
  counts,
  quality,
  runs,
  first_playable,
}: ReturnType<typeof verdict> & {
  quality: Quality[];
  runs: { a: Measured[]; b: OurRun[]; c: Measured[] };
  first_playable: Record<string, number>;
}): void {
  console.table({ script: medians(runs.a), ours: medians(runs.b), limit: medians(runs.c) });
  console.table(Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, { ratio: value.toFixed(3) }])));
  console.table(
    quality.map(({ rung, vmaf, bytes }) => ({
      rung,
      'VMAF script': vmaf.script.toFixed(2),
      'VMAF ours': vmaf.ours.toFixed(2),
      'ours, sampled': vmaf.ours_sampled.toFixed(2),
      'size ratio': (bytes.ours / bytes.script).toFixed(3),
    })),
  );
  console.table({ 'first playable, s': first_playable });
  console.log(
    counts ? 'Quality and size are equal: the ratios count.' : 'Quality or size differ: the ratios do not count.',
  );
}

function medians(runs: Measured[]): Record<string, number> {
  const keys = ['wall_seconds', 'cpu_seconds', 'peak_memory_mb'] as const;
  return Object.fromEntries(keys.map((key) => [key, Math.round(median(runs, key) * 10) / 10]));
}

function median(runs: Measured[], key: keyof Measured): number {
  return middle(runs.map((run) => run[key]));
}

function middle(values: number[]): number {
  const value = values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

function machine(): Record<string, unknown> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    date: new Date().toISOString(),
  };
}

function say(text: string): void {
  console.error(text);
}
