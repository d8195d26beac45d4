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
  const edge = await LoopbackEdge.start();
  try {
    const source = await readFile(clip);
    let job: LoopbackJob | undefined;
    const times = { start: 0, playable: 0, end: 0 };
    const measured = await measure(
      [process.execPath, MAIN, '--edge', edge.url],
      { WORK_DIR: folder },
      async (child) => {
        if (!child.stderr) throw new Error('the transcoder has no stderr');
        const lines = createInterface({ input: child.stderr });
        while (!String((await once(lines, 'line'))[0]).includes('"msg":"ready"'));
        lines.on('line', () => {});
        times.start = performance.now();
        const added = edge.addJob(source, null, { ladder: [...RUNGS] });
        job = added;
        const has = (rendition: string) => added.commits.some((one) => one.rendition === rendition && one.n === 1);
        await edge.until(() => has('360p') && has('audio'));
        times.playable = performance.now();
        await edge.until(() => added.finish !== null);
        times.end = performance.now();
        process.kill(-(child.pid ?? 0), 'SIGTERM');
      },
    );
    if (!job?.finish || !('result' in job.finish)) throw new Error('the job did not complete');
    const sizes = RUNGS.map((rung) => [`${rung}p`, bytesOf(job, `${rung}p`)] as const);
    return {
      job,
      run: {
        ...measured,
        wall_seconds: (times.end - times.start) / 1000,
        first_playable_seconds: (times.playable - times.start) / 1000,
        vmaf: Object.fromEntries([...job.validated].map(([name, { mean }]) => [name, mean])),
        bytes: Object.fromEntries(sizes),
      },
    };
  } finally {
    await edge.close();
  }
}

const bytesOf = (job: LoopbackJob | undefined, rendition: string): number =>
  (job?.commits ?? []).filter((one) => one.rendition === rendition).reduce((sum, { bytes }) => sum + bytes, 0);

/** A rendition as one file. */
export async function assemble(job: LoopbackJob, rendition: string, path: string): Promise<void> {
  const numbers = job.commits.filter((one) => one.rendition === rendition).map(({ n }) => n);
  const parts = numbers.sort((a, b) => a - b).map((n) => job.outputs.get(`${rendition}/${segmentName(n)}`));
  await writeFile(path, Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))));
}
