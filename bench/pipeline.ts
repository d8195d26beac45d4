/**
 * `npm run bench -- pipeline [--runs N]`: the pipeline side by side. Rounds, interleaved, of (a) the script a user would
 * write, (b) our transcoder alone, (c) the limit; medians and ratios. The ratios count only if our renditions are as
 * good (full VMAF at least (a)'s - 0.5) and as small (at most 1.05 x). All runs of a full benchmark are kept in
 * bench/results/pipeline.json, tables and plot in docs/benchmarks; one with fewer rounds is only printed.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBinaries } from '../transcoder-node/media/capabilities.ts';
import { makeClip } from './pipeline/clip.ts';
import { measure } from './pipeline/measure.ts';
import { assemble, firstPlayable, type OurRun, ours } from './pipeline/ours.ts';
import { plot, type Quality, qualities, type Runs, ratios, table, verdict } from './pipeline/report.ts';
import { fullVmaf, limit, meanOf, RUNGS, userScript } from './pipeline/script.ts';
import { keep } from './report.ts';

const RUNS = 3;
const SECONDS = 20;

const { values } = parseArgs({
  options: {
    /** How often everything is done; 3. */
    runs: { type: 'string', default: String(RUNS) },
  },
});
const rounds = Number(values.runs);
if (!(Number.isInteger(rounds) && rounds > 0)) {
  console.error('--runs is a number from 1');
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'reelwire-bench-'));
try {
  const tools = await findBinaries({}, folder, new AbortController().signal);
  const clip = join(folder, 'clip.mp4');
  say(`Making a clip of ${SECONDS} s ...`);
  await makeClip(tools.ffmpeg, clip, SECONDS);

  const runs: Runs = { script: [], ours: [], limit: [] };
  let quality: Quality[] = [];
  for (let round = 1; round <= rounds; round++) {
    say(`Round ${round} of ${rounds}: the script ...`);
    runs.script.push(await measure(userScript(tools, clip, folder)));
    say('  our transcoder ...');
    const { run, job } = await ours(clip, folder);
    runs.ours.push(run);
    say('  the limit ...');
    runs.limit.push(await measure(limit(tools, clip)));
    if (round < rounds) continue;
    say('Comparing the quality, every frame ...');
    quality = await Promise.all(RUNGS.map((rung) => compare(rung, run, (path) => assemble(job, `${rung}p`, path))));
  }

  const first = { 10: await firstPicture(10), 60: await firstPicture(60) };
  const [medians, ratio, good, counts] = [table(runs), ratios(runs, first), qualities(quality), verdict(quality)];
  const seconds = {
    'first playable, s': { 'clip of 10 s': first[10].toFixed(2), 'clip of 60 s': first[60].toFixed(2) },
  };
  if (rounds >= RUNS) {
    const measured = { clip_seconds: SECONDS, table: medians, ratios: ratio, quality, first_playable: first, runs };
    const made = `A clip of ${SECONDS} s, medians of ${rounds} runs`;
    const parts = [medians, ratio, seconds, good, counts];
    await keep('pipeline', measured, { title: 'The pipeline', made, parts, plots: { pipeline: plot(runs) } });
  }
  for (const one of [medians, ratio, seconds, good]) console.table(one);
  console.log(counts);

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

  /** Seconds to the first playable segment of a clip of that length. */
  async function firstPicture(length: number): Promise<number> {
    say(`First picture of ${length} s ...`);
    const path = join(folder, `clip-${length}.mp4`);
    await makeClip(tools.ffmpeg, path, length);
    return firstPlayable(path, folder);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function say(text: string): void {
  console.error(text);
}
