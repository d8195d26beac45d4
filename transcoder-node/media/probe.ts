/**
 * What a source is, as far as the pipeline needs to know, or the reason why it cannot be processed. ffprobe's claims
 * are validated; a file without a stated duration (a browser's recording, a cut upload) is walked through once.
 * GCONV_PATH: this static ffprobe crashes on MPEG-TS when it finds the system's character set modules.
 */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { FrameRate } from '../../src/contract/job.ts';
import { TaskFailure } from '../errors.ts';
import { MAX_DURATION_SECONDS, MAX_PIXELS, PROBE_TIMEOUT_MS } from '../limits.ts';
import type { Binaries } from './binaries.ts';
import { type Ended, run } from './child.ts';
import { SAFE_INPUT } from './ffmpeg-args.ts';
import type { Size } from './ladder.ts';
import { parseRate } from './rates.ts';
import { looksLikeMedia } from './sniff.ts';

export interface Source {
  /** ffmpeg's stream index. */
  readonly video: number;
  readonly audio: number | null;
  /** Whether the container has an index, or what comes close, by which any keyframe is found with its exact time. */
  readonly seekable: boolean;
  /** As it is shown: pixels made square, rotation applied. */
  readonly size: Size;
  readonly nominalRate: FrameRate | null;
  readonly averageRate: FrameRate | null;
  readonly interlaced: boolean;
  readonly hdr: boolean;
  /** When the picture ends, in seconds from the start of the file. */
  readonly end: number;
  /** When the sound ends, where the file says so. */
  readonly audioEnd: number | null;
  /** What is in the file and will not be in the outputs, in words. */
  readonly dropped: readonly string[];
}

/** ffmpeg's names; each demuxer has several. */
const SEEKABLE: ReadonlySet<string> = new Set(['mp4', 'matroska']);

const Seconds = z.coerce.number().optional().catch(undefined);

const Stream = z.object({
  index: z.int(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  width: z.int().default(0),
  height: z.int().default(0),
  sample_aspect_ratio: z.string().optional(),
  r_frame_rate: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  field_order: z.string().optional(),
  color_transfer: z.string().optional(),
  start_time: Seconds,
  duration: Seconds,
  channels: z.int().default(0),
  disposition: z
    .object({ default: z.int().default(0), attached_pic: z.int().default(0) })
    .default({ default: 0, attached_pic: 0 }),
  tags: z.object({ language: z.string().optional(), DURATION: z.string().optional() }).default({}),
  side_data_list: z.array(z.object({ rotation: z.number().optional() })).default([]),
});
type Stream = z.infer<typeof Stream>;

const Probed = z.object({
  streams: z.array(Stream).default([]),
  format: z
    .object({ format_name: z.string().default(''), duration: Seconds, start_time: Seconds })
    .default({ format_name: '', duration: undefined, start_time: undefined }),
});

interface Where {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly signal: AbortSignal;
}

export async function probe(path: string, where: Where): Promise<Source> {
  if ((await stat(path)).size === 0) throw new TaskFailure('empty_file', 'The file is empty.');
  if (!(await looksLikeMedia(path))) throw notMedia();
  const { streams, format } = await describe(path, where);

  const known = streams.filter((stream) => stream.codec_name !== undefined && stream.codec_name !== 'unknown');
  const videos = known.filter((stream) => stream.codec_type === 'video' && stream.disposition.attached_pic === 0);
  const audios = known.filter((stream) => stream.codec_type === 'audio' && stream.channels > 0);
  const video = videos.find((stream) => stream.disposition.default === 1) ?? videos[0];
  const audio = audios.find((stream) => stream.disposition.default === 1) ?? audios[0];
  if (!video && audios.length > 0) throw new TaskFailure('no_video', 'The file has sound but no video track.');
  if (!video || video.width < 1 || video.height < 1) throw notMedia();
  if (video.width * video.height > MAX_PIXELS) {
    throw new TaskFailure('too_large', `The picture is ${video.width}x${video.height}; at most 8192x4320 is possible.`);
  }

  const offset = (video.start_time ?? 0) - (format.start_time ?? video.start_time ?? 0);
  const claimed = video.duration ?? clock(video.tags.DURATION) ?? format.duration;
  const length = claimed !== undefined && claimed > 0 ? claimed : await measure(path, video, where);
  const end = Math.max(0, offset) + length;
  if (end > MAX_DURATION_SECONDS) throw new TaskFailure('too_long', 'The video is longer than 24 hours.');

  const dropped = streams
    .filter((stream) => stream !== video && stream !== audio && nameable(stream))
    .map(describeTrack);
  return {
    video: video.index,
    audio: audio?.index ?? null,
    seekable: format.format_name.split(',').some((name) => SEEKABLE.has(name)),
    size: displaySize(video),
    nominalRate: parseRate(video.r_frame_rate),
    averageRate: parseRate(video.avg_frame_rate),
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(video.field_order ?? ''),
    hdr: ['smpte2084', 'arib-std-b67'].includes(video.color_transfer ?? ''),
    end,
    audioEnd: audio ? endOf(audio, format.start_time) : null,
    dropped,
  };
}

function endOf({ start_time, duration, tags }: Stream, fileStart: number | undefined): number | null {
  const length = duration ?? clock(tags.DURATION);
  return length === undefined ? null : (start_time ?? 0) - (fileStart ?? start_time ?? 0) + length;
}

async function describe(path: string, where: Where): Promise<z.infer<typeof Probed>> {
  const ended = await run({
    file: where.binaries.ffprobe,
    args: ['-v', 'error', ...SAFE_INPUT, '-of', 'json', '-show_streams', '-show_format', path],
    cwd: where.folder,
    env: { GCONV_PATH: where.folder },
    signal: where.signal,
    timeoutMs: PROBE_TIMEOUT_MS,
  });
  where.signal.throwIfAborted();
  if (!ended.ok) throw unreadable(ended);
  return Probed.parse(JSON.parse(ended.stdout));
}

function unreadable(ended: Ended): TaskFailure {
  if (/moov atom not found/.test(ended.stderr)) {
    return new TaskFailure(
      'truncated',
      'The file ends before its index: it was not written or not uploaded completely.',
    );
  }
  if (ended.how.startsWith('exit')) return notMedia();
  return new TaskFailure('internal', 'The file could not be examined.', { cause: `ffprobe: ${ended.how}` });
}

const notMedia = (): TaskFailure => new TaskFailure('not_media', 'The file is not a video that can be read.');

/** Seconds of picture by walking through the packets. */
async function measure(path: string, video: Stream, where: Where): Promise<number> {
  let micros = 0;
  const lines = (line: string) => {
    const value = /^out_time_us=(\d+)/.exec(line)?.[1];
    if (value) micros = Math.max(micros, Number(value));
  };
  const args = ['-nostdin', '-v', 'error', '-progress', 'pipe:3', ...SAFE_INPUT, '-i', path];
  await run({
    file: where.binaries.ffmpeg,
    args: [...args, '-map', `0:${video.index}`, '-c', 'copy', '-f', 'null', '-'],
    cwd: where.folder,
    signal: where.signal,
    timeoutMs: PROBE_TIMEOUT_MS,
    lines: [lines],
  });
  where.signal.throwIfAborted();
  if (micros === 0) throw new TaskFailure('truncated', 'The file has no complete picture in it.');
  return micros / 1e6;
}

function displaySize({ width, height, sample_aspect_ratio, side_data_list }: Stream): Size {
  const [num, den] = (sample_aspect_ratio ?? '').split(':').map(Number);
  const square = { width: num && den ? (width * num) / den : width, height };
  const rotation = side_data_list.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  return Math.round(Math.abs(rotation) / 90) % 2 === 1 ? { width: square.height, height: square.width } : square;
}

/** Matroska's tag: `00:00:10.500000000`. */
function clock(text: string | undefined): number | undefined {
  const [hours, minutes, seconds] = (text ?? '').split(':').map(Number);
  return hours === undefined || minutes === undefined || seconds === undefined
    ? undefined
    : hours * 3600 + minutes * 60 + seconds;
}

const nameable = ({ codec_type, disposition }: Stream): boolean =>
  codec_type === 'subtitle' || codec_type === 'audio' || (codec_type === 'video' && disposition.attached_pic === 0);

const describeTrack = ({ codec_type, tags }: Stream): string =>
  [codec_type, tags.language?.slice(0, 16)].filter(Boolean).join(' ');
