/** The first picture comes first: the lowest rung and the audio in a pair of their own, the rest behind it. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { QUICK, testPicture } from './clips.ts';
import { type Counted, counted } from './counted.ts';
import { eventually, type Tool } from './harness.ts';
import type { LoopbackJob } from './loopback-edge.ts';

const bed = testBed();
let ffmpeg: Counted;
beforeEach(async () => {
  ffmpeg = await counted(bed.clips, 'ffmpeg');
  await bed.start({ libvmaf: false }, ffmpeg.binaries);
});

const SILENCE = (seconds: number) => ['-f', 'lavfi', '-i', `anullsrc=r=48000:cl=stereo:d=${seconds}`];

/** In which report the segment was committed. */
const batchOf = (job: LoopbackJob, name: string, n: number): number =>
  job.batches.findIndex(({ commits }) => commits.some((commit) => commit.rendition === name && commit.n === n));

/** Field 19 of /proc/pid/stat (proc(5)); NaN when the process has ended meanwhile. */
async function niceOf({ pid }: Tool): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.split(') ')[1]?.split(' ')[16]);
}

describe('two pairs', () => {
  it('work at once, the lowest rung and the audio before the rest', async () => {
    const clip = await bed.clips.make('wide.mp4', ...testPicture('854x480', '20', 16), ...SILENCE(16), ...QUICK);
    const job = bed.edge.addJob(await bed.clips.read(clip));
    await eventually(async () => {
      const tools = await bed.transcoder.tools();
      const nices = (pair: string) => Promise.all(tools.filter(({ cwd }) => basename(cwd) === pair).map(niceOf));
      const [first, rest] = [await nices('first'), await nices('rest')];
      return first.length === 2 && rest.length === 2 && Math.min(...rest) - Math.max(...first) > 10;
    });
    await bed.edge.until(() => job.finish);
    expect(job.finish).toHaveProperty('result');
    expect((await ffmpeg.encoded()).toSorted()).toEqual([
      ['240p', 'audio'],
      ['360p', '480p'],
    ]);
    for (const n of [1, 4]) expect(batchOf(job, '240p', n)).toBeLessThan(batchOf(job, '480p', n));
    const poster = job.entries.findIndex((entry) => entry.type === 'artifact' && entry.name === 'poster');
    expect(poster).toBeLessThan(job.entries.findIndex((entry) => entry.type === 'rendition' && entry.name === '480p'));
  });

  it('are one when there is one rung', async () => {
    const job = bed.edge.addJob(
      await bed.clips.read(await bed.clips.make('small.mp4', ...testPicture('320x240', '25', 2), ...QUICK)),
    );
    await bed.edge.until(() => job.finish);
    expect(await ffmpeg.encoded()).toEqual([['240p']]);
  });

  /** The first 64 KiB that the packager looks at are a minute of this; they are read at 40 times its pace. */
  it('bring the first segment of a silent track, and of a still picture, as soon as it is there', async () => {
    const paced = await counted(bed.clips, 'paced', '-readrate 40');
    await bed.start({ libvmaf: false }, paced.binaries);
    const still = ['-f', 'lavfi', '-i', 'color=gray:s=320x240:r=30:d=60'];
    const job = bed.edge.addJob(
      await bed.clips.read(await bed.clips.make('quiet.mp4', ...still, ...SILENCE(60), ...QUICK)),
    );
    await bed.edge.until(() => job.finish);
    expect(job.finish).toHaveProperty('result');
    for (const name of ['audio', '240p']) {
      const commits = job.commits.filter(({ rendition, n }) => rendition === name && n <= 12);
      expect(commits.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(65_536);
      expect(batchOf(job, name, 1)).toBeLessThan(batchOf(job, name, 12));
    }
  });
});
