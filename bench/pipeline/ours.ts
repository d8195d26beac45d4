/** (b): our transcoder alone, pulling one job from a loopback edge that runs in this process and is not measured. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { segmentName } from '../../src/contract/ids.ts';
import { LoopbackEdge, type LoopbackJob } from '../../test/transcoder/loopback-edge.ts';
import { type Measured, measure } from './measure.ts';
import { RUNGS } from './script.ts';

const MAIN = join(import.meta.dirname, '../../transcoder-node/main.ts');

export interface OurRun extends Measured {
  first_playable_seconds: number;
  /** As sampled by the transcoder, by rung. */
  vmaf: Record<string, number>;
  /** Bytes of all segments, by rung. */
  bytes: Record<string, number>;
}

/** Wall time counts from the job's arrival in the queue to its end; CPU and memory include start and stop. */
export async function ours(clip: string, folder: string): Promise<{ run: OurRun; job: LoopbackJob }> {
  return withEdge(clip, async (edge, source) => {
    const { measured, job, seconds } = await run(edge, source, folder, (added) => added.finish !== null);
    if (!job.finish || !('result' in job.finish)) throw new Error('the job did not complete');
    const bytes = RUNGS.map((rung) => [`${rung}p`, bytesOf(job, `${rung}p`)] as const);
    const vmaf = [...job.validated].map(([name, { mean }]) => [name, mean] as const);
    return {
      job,
      run: {
        ...measured,
        wall_seconds: seconds.end,
        first_playable_seconds: seconds.playable,
        vmaf: Object.fromEntries(vmaf),
        bytes: Object.fromEntries(bytes),
      },
    };
  });
}

/** Seconds from the job's arrival to its first playable segment; the rest of the job is not waited for. */
export function firstPlayable(clip: string, folder: string): Promise<number> {
  return withEdge(clip, async (edge, source) => (await run(edge, source, folder, () => true)).seconds.playable);
}

async function withEdge<T>(clip: string, use: (edge: LoopbackEdge, source: Buffer) => Promise<T>): Promise<T> {
  const edge = await LoopbackEdge.start();
  try {
    return await use(edge, await readFile(clip));
  } finally {
    await edge.close();
  }
}

/** One transcoder process, one job. It is stopped once `isOver`. */
async function run(edge: LoopbackEdge, source: Buffer, folder: string, isOver: (job: LoopbackJob) => boolean) {
  let job: LoopbackJob | undefined;
  const seconds = { playable: 0, end: 0 };
  const measured = await measure([process.execPath, MAIN, '--edge', edge.url], { WORK_DIR: folder }, async (child) => {
    if (!child.stderr) throw new Error('the transcoder has no stderr');
    const lines = createInterface({ input: child.stderr });
    while (!String((await once(lines, 'line'))[0]).includes('"msg":"ready"'));
    lines.on('line', () => {});
    const start = performance.now();
    const added = edge.addJob(source, null, { ladder: [...RUNGS] });
    job = added;
    const has = (rendition: string) => added.commits.some((one) => one.rendition === rendition && one.n === 1);
    await edge.until(() => has('360p') && has('audio'));
    seconds.playable = (performance.now() - start) / 1000;
    await edge.until(() => isOver(added));
    seconds.end = (performance.now() - start) / 1000;
    process.kill(-(child.pid ?? 0), 'SIGTERM');
  });
  if (!job) throw new Error('the transcoder was never ready');
  return { measured, job, seconds };
}

const bytesOf = (job: LoopbackJob, rendition: string): number =>
  job.commits.filter((one) => one.rendition === rendition).reduce((sum, { bytes }) => sum + bytes, 0);

/** A rendition as one file. */
export async function assemble(job: LoopbackJob, rendition: string, path: string): Promise<void> {
  const numbers = job.commits.filter((one) => one.rendition === rendition).map(({ n }) => n);
  const parts = numbers.sort((a, b) => a - b).map((n) => job.outputs.get(`${rendition}/${segmentName(n)}`));
  await writeFile(path, Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))));
}
