/**
 * One ffmpeg command over a source: one decode, the shared filters, a split, and from it every rung of `plan` scaled
 * from the source, each into its own named pipe as fragmented mp4, and the frames that are kept to compare with. A
 * plan without rungs leaves the audio alone.
 */
import type { Plan, PlannedAudio, PlannedVideo } from '../../src/contract/job.ts';
import { CPU_SECONDS, MAX_DURATION_SECONDS, MAX_PIXELS } from '../limits.ts';
import { levelOfCodec } from './levels.ts';
import type { Source } from './probe.ts';
import { rateText } from './rates.ts';
import { type Reference, referenceOutput, samples } from './reference.ts';

/** Before the rest of every command: quiet, without a look at stdin, progress on fd 3. */
export const QUIET = ['-nostdin', '-hide_banner', '-y', '-v', 'error', '-progress', 'pipe:3'] as const;

/**
 * A file must not make us read another one. The protocol list alone does not stop a playlist, manifest or script that
 * calls itself mp4 (seen with ffmpeg 7.0); the format list does. On every call of ffmpeg and ffprobe, before `-i`.
 */
export const SAFE_INPUT: readonly string[] = [
  '-protocol_whitelist',
  'file',
  '-format_whitelist',
  'mov,matroska,webm,mpegts,avi,flv,ogg,asf,mpeg,mpegvideo,wav,mp3,aac,flac',
];

/**
 * What the packager reads: fragments of half a second, each written at once (quiet audio would otherwise wait in a
 * buffer of 32 KiB until the end); the moov waits until the edit list is known.
 */
const FRAGMENTED = [
  ...['-movflags', '+delay_moov+default_base_moof', '-frag_duration', '500000'],
  ...['-flush_packets', '1', '-f', 'mp4'],
];
const PLAIN = ['-map_metadata', '-1', '-map_chapters', '-1'];

/**
 * Reads a stream and throws it away. In MPEG-TS and its like ffmpeg counts time from the first packet of the streams
 * that are in use, so a command over the picture alone would be some frames off from one over picture and sound.
 * Every command over a source therefore uses the same two streams.
 */
export const alsoRead = (stream: number | null): string[] =>
  stream === null ? [] : ['-map', `0:${stream}`, '-c', 'copy', '-f', 'null', '-'];

/** fd 3 carries ffmpeg's own progress; from here on, one pipe for each rung. */
const FIRST_COUNTER_FD = 4;

export interface EncodeJob {
  readonly input: string;
  readonly source: Source;
  readonly plan: Plan;
  /** To be made. */
  readonly references: readonly Reference[];
  readonly pipeOf: (rendition: string) => string;
}

export function encodeArgs(job: EncodeJob): string[] {
  const { input, source, plan, references, pipeOf } = job;
  const pictures = plan.video.length + references.length > 0;
  return [
    ...SAFE_INPUT,
    ...['-timelimit', String(Math.ceil(CPU_SECONDS.start + CPU_SECONDS.perSecond * plan.duration))],
    ...['-max_pixels', String(MAX_PIXELS), '-t', String(MAX_DURATION_SECONDS), '-i', input],
    ...(pictures ? ['-filter_complex', filterGraph(job)] : []),
    ...plan.video.flatMap((video, index) => videoOutput(video, index, pipeOf(video.name))),
    ...(plan.audio && source.audio !== null ? audioOutput(plan, plan.audio, source, pipeOf(plan.audio.name)) : []),
    ...references.flatMap((reference, index) => referenceOutput(reference, `[k${index}]`)),
    ...(pictures ? [] : alsoRead(source.video)),
    ...(plan.audio ? [] : alsoRead(source.audio)),
  ];
}

function filterGraph({ source, plan, references }: EncodeJob): string {
  const rungs = plan.video.map(({ width, height, fps }, index) => ({
    fps,
    branch: `scale=${width}:${height}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1[v${index}]`,
  }));
  const kept = references.map((reference, index) => ({
    fps: reference.fps,
    branch: `${samples(reference)}[k${index}]`,
  }));
  const branches = [...rungs, ...kept].map(({ fps, branch }, index) => {
    const rate = `fps=${rateText(fps)}:start_time=0`;
    return `[s${index}]${plan.filters.endsWith(rate) ? '' : `${rate},`}${branch}`;
  });
  const labels = branches.map((_, index) => `[s${index}]`).join('');
  return [`[0:${source.video}]${plan.filters},split=${branches.length}${labels}`, ...branches].join(';');
}

function videoOutput(video: PlannedVideo, index: number, pipe: string): string[] {
  const { gop, crf, maxrate, bufsize, codecs } = video;
  return [
    ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high'],
    ...['-level:v', (levelOfCodec(codecs) / 10).toFixed(1), '-crf', String(crf)],
    ...['-maxrate', String(maxrate), '-bufsize', String(bufsize)],
    ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-flags', '+cgop'],
    ...['-stats_enc_pre', `pipe:${FIRST_COUNTER_FD + index}`, '-stats_enc_pre_fmt', '{n}'],
    ...PLAIN,
    ...FRAGMENTED,
    pipe,
  ];
}

/**
 * Sound that goes on a little longer than the picture would leave a last segment of a few milliseconds, beyond the
 * video's end, at which hls.js 1.7 waits for ever. So little is cut off; more is not.
 */
const LONGEST_TAIL_SECONDS = 0.5;

function audioFilter({ duration }: Plan, { audioEnd }: Source): string {
  const resampled = 'aresample=async=1:first_pts=0';
  return audioEnd !== null && audioEnd - duration < LONGEST_TAIL_SECONDS
    ? `${resampled},atrim=end=${duration}`
    : resampled;
}

const audioOutput = (plan: Plan, audio: PlannedAudio, source: Source, pipe: string): string[] => [
  ...['-map', `0:${source.audio}`, '-c:a', 'aac', '-b:a', String(audio.bandwidth)],
  ...['-ac', String(audio.channels), '-ar', String(audio.sample_rate), '-af', audioFilter(plan, source)],
  ...PLAIN,
  ...FRAGMENTED,
  pipe,
];
