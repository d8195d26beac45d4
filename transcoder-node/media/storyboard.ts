/**
 * Small pictures of the finished lowest rung: a poster, and a storyboard for the seek bar, which is thumbnails in
 * sheets of 10x10 and a WebVTT file that tells which rectangle (`#xywh`, Media Fragments URI 1.0) belongs to which
 * time. A cue's thumbnail shows the frame that its time begins with.
 *
 * How far thumbnails are apart is counted in frames of the rung, so that cue times are exact: about one second up to a
 * clip of 100 seconds, two up to 400; then as many whole groups of pictures as keep it at 1000 thumbnails at most. From
 * there on only keyframes are decoded (`-skip_frame nokey`), which makes hours cheap; `n` in `select` counts what was
 * decoded, so steps are divided by the length of the group.
 *
 * `thumbnail` takes of all frames it is given the one whose histogram is nearest to the average, so not a black opening
 * unless most is black; it gets a few dozen from the first ten minutes and keeps them all in memory. Full range
 * (`yuvj420p`) is what JPEG means. `passthrough`, or ffmpeg would repeat sheets to reach the rate of the clip; and
 * `bitexact`, or it would sign the pictures with its version.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ARTIFACT_FILE, sheetName } from '../../src/contract/ids.ts';
import type { Plan, PlannedVideo } from '../../src/contract/job.ts';
import { TaskFailure } from '../errors.ts';
import { run } from './child.ts';
import { runFfmpeg, type Workbench } from './ffmpeg.ts';
import { SAFE_INPUT } from './ffmpeg-args.ts';
import { perSecond } from './rates.ts';

export interface Pictures extends Workbench {
  /** The lowest rung of `plan`. */
  readonly file: string;
  readonly plan: Plan;
}

const COLUMNS = 10;
const SHEET = COLUMNS * COLUMNS;
const MOST_THUMBNAILS = 1000;
const DENSE = [
  { upToSeconds: 100, apartSeconds: 1 },
  { upToSeconds: 400, apartSeconds: 2 },
] as const;
const LONG_SIDE = 160;
const POSTER_SECONDS = 600;
const POSTER_CANDIDATES = 30;
const FAILED = 'Pictures for the poster and the storyboard could not be made.';

/** Both in frames; `keys`: only keyframes are needed. */
interface Steps {
  readonly every: number;
  readonly keys: boolean;
}

/** Gives the poster's path. */
export async function makePoster(spec: Pictures): Promise<string> {
  const video = lowest(spec.plan);
  const stretch = Math.min(await countFrames(spec), Math.ceil(POSTER_SECONDS * perSecond(video.fps)));
  const sparse = Math.ceil(stretch / POSTER_CANDIDATES);
  const keys = sparse >= video.gop;
  const steps = { keys, every: keys ? Math.ceil(sparse / video.gop) * video.gop : Math.max(1, sparse) };
  await draw(spec, {
    input: ['-t', String(POSTER_SECONDS)],
    filters: `${picked(steps, video)},thumbnail=n=${POSTER_CANDIDATES}`,
    output: ['-frames:v', '1', '-update', '1', ARTIFACT_FILE.poster],
    steps,
  });
  return join(spec.folder, ARTIFACT_FILE.poster);
}

/** Gives the paths of the WebVTT file and of the sheets that it names. */
export async function makeStoryboard(spec: Pictures): Promise<{ vtt: string; sheets: string[] }> {
  const video = lowest(spec.plan);
  const frames = await countFrames(spec);
  const steps = thumbnailSteps(frames, video);
  const count = Math.ceil(frames / steps.every);
  const { width, height } = thumbnailSize(video);
  const grid = `${Math.min(count, COLUMNS)}x${Math.min(Math.ceil(count / COLUMNS), COLUMNS)}`;
  await draw(spec, {
    filters: `${picked(steps, video)},scale=${width}:${height}:flags=bicubic,tile=${grid}`,
    output: ['sheet-%d.jpg'],
    steps,
  });
  const vtt = join(spec.folder, ARTIFACT_FILE.storyboard);
  await writeFile(vtt, cues(frames, steps.every, video));
  const sheets = Array.from({ length: Math.ceil(count / SHEET) }, (_, index) =>
    join(spec.folder, sheetName(index + 1)),
  );
  return { vtt, sheets };
}

export function thumbnailSteps(frames: number, { fps, gop }: PlannedVideo): Steps {
  const seconds = frames / perSecond(fps);
  const dense = DENSE.find(({ upToSeconds }) => seconds <= upToSeconds);
  if (dense) return { every: Math.max(1, Math.round(dense.apartSeconds * perSecond(fps))), keys: false };
  return { every: gop * Math.ceil(frames / gop / MOST_THUMBNAILS), keys: true };
}

interface Drawing {
  readonly input?: readonly string[];
  readonly filters: string;
  readonly output: readonly string[];
  readonly steps: Steps;
}

function draw(spec: Pictures, { input = [], filters, output, steps }: Drawing): Promise<void> {
  return runFfmpeg(spec, {
    args: [
      ...[...SAFE_INPUT, ...(steps.keys ? ['-skip_frame', 'nokey'] : []), ...input, '-i', spec.file],
      ...['-map', '0:v:0', '-vf', `${filters},format=yuvj420p`, '-fps_mode', 'passthrough'],
      ...['-c:v', 'mjpeg', '-q:v', '4', '-flags:v', '+bitexact', '-map_metadata', '-1', ...output],
    ],
    failed: FAILED,
  });
}

const picked = ({ every, keys }: Steps, { gop }: PlannedVideo): string =>
  `select='not(mod(n\\,${keys ? every / gop : every}))'`;

/** Counts packets. The duration that the container states is the plan's promise, which the source need not have kept. */
async function countFrames({ binaries, file, folder, signal, nice }: Pictures): Promise<number> {
  const count = ['-select_streams', 'v:0', '-count_packets', '-show_entries', 'stream=nb_read_packets'];
  const args = ['-v', 'error', ...SAFE_INPUT, ...count, '-of', 'default=noprint_wrappers=1:nokey=1', file];
  const ended = await run({ file: binaries.ffprobe, args, cwd: folder, signal, nice });
  signal.throwIfAborted();
  const frames = z.coerce.number().int().positive().safeParse(ended.stdout);
  if (ended.ok && frames.success) return frames.data;
  const cause = new Error(`ffprobe: ${ended.how}\n${ended.stderr}`);
  throw new TaskFailure('encode_failed', FAILED, { cause });
}

function lowest({ video: [video] }: Plan): PlannedVideo {
  if (!video) throw new Error('the plan has no video');
  return video;
}

/** The long side is LONG_SIDE, but never more than the rung's own; both are even. */
export function thumbnailSize({ width, height }: PlannedVideo): { width: number; height: number } {
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * scale) / 2));
  return { width: even(width), height: even(height) };
}

function cues(frames: number, every: number, video: PlannedVideo): string {
  const { width, height } = thumbnailSize(video);
  const time = (frame: number) => clock((Math.min(frame, frames) * video.fps.den) / video.fps.num);
  const blocks = ['WEBVTT'];
  for (let index = 0; index * every < frames; index += 1) {
    const place = index % SHEET;
    const x = (place % COLUMNS) * width;
    const y = Math.floor(place / COLUMNS) * height;
    const sheet = sheetName(Math.floor(index / SHEET) + 1);
    const span = `${time(index * every)} --> ${time((index + 1) * every)}`;
    blocks.push(`${span}\n${sheet}#xywh=${x},${y},${width},${height}`);
  }
  return `${blocks.join('\n\n')}\n`;
}

function clock(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const part = (unit: number, size: number, digits: number) =>
    String(Math.floor(ms / unit) % size).padStart(digits, '0');
  const hours = String(Math.floor(ms / 3_600_000)).padStart(2, '0');
  return `${hours}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`;
}
