/**
 * An encoder that goes on where earlier takes stopped. All is reckoned on the clock of the source from its beginning,
 * so that frames, timestamps and keyframes are those of a run that was never disturbed.
 *
 * Input: a seek (seek.ts) to a keyframe before a whole second, some time before the first frame that is wanted. All
 * from there is kept (`-noaccurate_seek`), because the picture on show at that frame may be much older than the run-up.
 * A seek puts zero at its target; `setpts` puts it back, exactly, as a whole second is a whole number of ticks. Where
 * there is no seek, all is read from the beginning, and the result is the same.
 *
 * Filters: `fps` is the same as ever. It fills the time before its first picture with copies of it, and `trim` drops
 * the frames that a rung has. Rungs that were left at different places thus share one decode.
 *
 * Output: `frag_discont` has the muxer write the time of the first frame into the fragment, in ticks; otherwise an edit
 * list would hold it, in milliseconds. `vfr` keeps ffmpeg from filling the time before with copies once more. Decoding
 * times run ahead by as much as in the other takes (`setts`), because the init segment says by how much: for B-frames
 * x264 takes two frames, but none when it gets no more than two.
 */
import type { PlannedVideo } from '../../src/contract/job.ts';

/** Frames that a rung has already, by name; a rung that is not in it begins at the beginning. */
export type MadeFrames = ReadonlyMap<string, number>;

export interface Start {
  readonly made: MadeFrames;
  /** Where the input is sought to, in whole seconds; 0: not at all. */
  readonly seek: number;
}

export const FROM_THE_BEGINNING: Start = { made: new Map(), seek: 0 };

export const framesMade = ({ name }: PlannedVideo, { made }: Pick<Start, 'made'>): number => made.get(name) ?? 0;

export const seekInput = (seconds: number): string[] =>
  seconds === 0 ? [] : ['-noaccurate_seek', '-ss', String(seconds)];

/** Goes before all other filters. */
export const clockOfSource = (seconds: number): string => (seconds === 0 ? '' : `setpts=PTS+${seconds}/TB,`);

/** Goes behind `fps`. */
export const withoutMade = (frames: number): string => (frames === 0 ? '' : `trim=start_frame=${frames},`);

/** Before all other options of the output. */
export const startsLate = (frames: number): string[] =>
  frames === 0 ? [] : ['-fps_mode', 'vfr', '-bsf:v', 'setts=pts=PTS:dts=DTS-2*DURATION*eq(STARTDTS\\,STARTPTS)'];

export const fragmentFlags = (frames: number): string => (frames === 0 ? '' : '+frag_discont');

/**
 * While frames that are there already go by, no encoder has anything to do. The packets that are read, listed on `fd`
 * one a line, show that all is well. A list begins with lines of its own, of which one is the time base (`#tb 0: 1/90000`);
 * then come stream, decoding time, presentation time, and more.
 */
export const packetList = (stream: number, fd: number): string[] => [
  ...['-map', `0:${stream}`, '-c', 'copy', '-copypriorss', '1'],
  ...['-flush_packets', '1', '-f', 'framecrc', `pipe:${fd}`],
];
