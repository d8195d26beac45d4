/**
 * One ffmpeg command over a source: one decode, the shared filters, a split, and from it every rung of `plan` scaled
 * from the source, each into its own named pipe as fragmented mp4, and the frames that are kept to compare with. A
 * plan without rungs leaves the audio alone. Rungs may go on where earlier takes stopped (starting.ts); the audio is
 * always made from its beginning.
 */
import type { Plan, PlannedAudio, PlannedVideo } from '../../src/contract/job.ts';
import { CPU_SECONDS, MAX_DURATION_SECONDS, MAX_PIXELS } from '../limits.ts';
import { levelOfCodec } from './levels.ts';
import type { Source } from './probe.ts';
import { rateText } from './rates.ts';
import { type Reference, referenceOutput, samples } from './reference.ts';
import {
  clockOfSource,
  fragmentFlags,
  framesMade,
  packetList,
  type Start,
  seekInput,
  startsLate,
  withoutMade,
} from './starting.ts';

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
const fragmented = (flags = ''): string[] => [
  ...['-movflags', `+delay_moov+default_base_moof${flags}`, '-frag_duration', '500000'],
  ...['-flush_packets', '1', '-f', 'mp4'],
];
const PLAIN = ['-map_metadata', '-1', '-map_chapters', '-1'];

/**
 * Reads a stream and throws it away. In MPEG-TS and its like ffmpeg counts time from the first packet of the streams
 * that are in use, so a command over the picture alone would be some frames off from one over picture and sound.
 * Every command over a source therefore uses the same two streams.
 */
const alsoRead = (stream: number | null): string[] =>
  stream === null ? [] : ['-map', `0:${stream}`, '-c', 'copy', '-f', 'null', '-'];

/** fd 3 carries ffmpeg's own progress; from here on, one pipe for each rung, and one for the packets that are read. */
const FIRST_COUNTER_FD = 4;

export interface EncodeJob {
  readonly input: string;
  readonly source: Source;
  readonly plan: Plan;
  readonly start: Start;
  /** To be made, from the beginning: where there are any, no rung has frames already. */
  readonly references: readonly Reference[];
  readonly pipeOf: (rendition: string) => string;
}

export function encodeArgs(job: EncodeJob): string[] {
  const { input, source, plan, start, references, pipeOf } = job;
  const pictures = plan.video.length + references.length > 0;
  const sound = plan.audio && source.audio !== null ? { audio: plan.audio, input: start.seek > 0 ? 1 : 0 } : null;
  return [
    ...['-timelimit', String(Math.ceil(CPU_SECONDS.start + CPU_SECONDS.perSecond * plan.duration))],
    ...readFrom(input, start.seek),
    ...(sound?.input === 1 ? readFrom(input, 0) : []),
    ...(pictures ? ['-filter_complex', filterGraph(job)] : []),
    ...plan.video.flatMap((video, index) => videoOutput(video, index, framesMade(video, start), pipeOf(video.name))),
    ...(sound ? audioOutput(plan, sound, source, pipeOf(sound.audio.name)) : []),
    ...references.flatMap((reference, index) => referenceOutput(reference, `[k${index}]`)),
    ...(pictures ? [] : alsoRead(source.video)),
    ...(plan.audio ? [] : alsoRead(source.audio)),
    ...(start.made.size > 0 ? packetList(source.video, FIRST_COUNTER_FD + plan.video.length) : []),
  ];
}

/** An input, from a whole second on. */
export const readFrom = (input: string, seek: number): string[] => [
  ...SAFE_INPUT,
  ...['-max_pixels', String(MAX_PIXELS), '-t', String(MAX_DURATION_SECONDS), ...seekInput(seek), '-i', input],
];

function filterGraph({ source, plan, start, references }: EncodeJob): string {
  const rungs = plan.video.map((video, index) => {
    const { width, height, fps } = video;
    const scale = `scale=${width}:${height}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1[v${index}]`;
    return { fps, branch: withoutMade(framesMade(video, start)) + scale };
  });
  const kept = references.map((reference, index) => ({
    fps: reference.fps,
    branch: `${samples(reference)}[k${index}]`,
  }));
  const branches = [...rungs, ...kept].map(({ fps, branch }, index) => {
    const rate = `fps=${rateText(fps)}:start_time=0`;
    return `[s${index}]${plan.filters.endsWith(rate) ? '' : `${rate},`}${branch}`;
  });
  const labels = branches.map((_, index) => `[s${index}]`).join('');
  const shared = `${clockOfSource(start.seek)}${plan.filters}`;
  return [`[0:${source.video}]${shared},split=${branches.length}${labels}`, ...branches].join(';');
}

function videoOutput(video: PlannedVideo, index: number, made: number, pipe: string): string[] {
  const { gop, crf, maxrate, bufsize, codecs } = video;
  return [
    ...['-map', `[v${index}]`, ...startsLate(made), '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high'],
    ...['-level:v', (levelOfCodec(codecs) / 10).toFixed(1), '-crf', String(crf)],
    ...['-maxrate', String(maxrate), '-bufsize', String(bufsize)],
    ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-flags', '+cgop'],
    ...['-stats_enc_pre', `pipe:${FIRST_COUNTER_FD + index}`, '-stats_enc_pre_fmt', '{n}'],
    ...PLAIN,
    ...fragmented(fragmentFlags(made)),
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

interface Sound {
  readonly audio: PlannedAudio;
  /** ffmpeg's number of the input that it is read from. */
  readonly input: number;
}

const audioOutput = (plan: Plan, { audio, input }: Sound, source: Source, pipe: string): string[] => [
  ...['-map', `${input}:${source.audio}`, '-c:a', 'aac', '-b:a', String(audio.bandwidth)],
  ...['-ac', String(audio.channels), '-ar', String(audio.sample_rate), '-af', audioFilter(plan, source)],
  ...PLAIN,
  ...fragmented(),
  pipe,
];
