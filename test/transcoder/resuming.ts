/** What the tests of later attempts look at: what a lease stored, what ffmpeg was asked for, and what readers have then. */
import { basename } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { segmentName, segmentNumber } from '../../src/contract/ids.ts';
import type { Bed } from './bed.ts';
import { type Clips, testPicture } from './clips.ts';
import type { Counted } from './counted.ts';
import type { LoopbackJob } from './loopback-edge.ts';

export const LONG = process.env.REELWIRE_LONG === '1';
export const FPS = 10;
/** Frames in a segment. */
export const GOP = 4 * FPS;

/** Two rungs: 240p and 360p. */
export const picture = (seconds: number): string[] => testPicture('640x360', String(FPS), seconds);

/** The numbers of all frames of a rung, by their times, from what readers have. */
export async function pictures(clips: Clips, job: LoopbackJob, name: string): Promise<number[]> {
  const parts = job.commits.flatMap(({ rendition, n }) =>
    rendition === name ? (job.outputs.get(`${name}/${segmentName(n)}`) ?? []) : [],
  );
  const path = await clips.write('read.mp4', Buffer.concat(parts));
  const args = ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path];
  const { stdout } = await execa(clips.binaries.ffprobe, args);
  const times = stdout.split('\n').map((time) => Math.round(Number.parseFloat(time) * FPS * 1000) / 1000);
  return times.toSorted((one, other) => one - other);
}

export const steady = (seconds: number): number[] => Array.from({ length: seconds * FPS }, (_, n) => n);

/** The segments that a lease has stored of a rendition; 0 is the init. */
export const stored = (job: LoopbackJob, lease: number, name: string): number[] =>
  [...job.takes.keys()]
    .flatMap((path) => (path.startsWith(`${name}/t${lease}/`) ? (segmentNumber(basename(path)) ?? []) : []))
    .toSorted((one, other) => one - other);

export interface Call {
  readonly names: string[];
  /** Frames of the rungs that were not begun at their beginning. */
  readonly leftOut: number[];
}

/** The calls of ffmpeg that encoded something, since the first `before` of them, by name. */
export async function callsOf(ffmpeg: Counted, before = 0): Promise<Call[]> {
  const leftOut = await ffmpeg.leftOut();
  return (await ffmpeg.encoded())
    .map((names, index) => ({ names, leftOut: leftOut[index] ?? [] }))
    .slice(before)
    .toSorted((one, other) => (one.names.join() < other.names.join() ? -1 : 1));
}

export async function finished(bed: Bed, job: LoopbackJob, duration_seconds: number): Promise<LoopbackJob> {
  await bed.edge.until(() => job.finish);
  expect(job.finish).toMatchObject({ result: { duration_seconds } });
  return job;
}
