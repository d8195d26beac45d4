/**
 * The progressive MP4: the packets of a finished rendition and of the audio, as they are, in one file that plays while
 * it downloads. `+faststart` writes the file and then moves its index (`moov`) to the front. Nothing that a rendition
 * says about itself goes along, and `+bitexact` keeps ffmpeg from adding its own version.
 */
import { runFfmpeg, type Workbench } from './ffmpeg.ts';
import { SAFE_INPUT } from './ffmpeg-args.ts';

export interface Remux extends Workbench {
  readonly video: string;
  readonly audio: string | null;
  readonly target: string;
}

export async function remuxMp4({ video, audio, target, ...workbench }: Remux): Promise<void> {
  await runFfmpeg(workbench, {
    args: [
      ...[...SAFE_INPUT, '-i', video],
      ...(audio === null ? [] : [...SAFE_INPUT, '-i', audio]),
      ...['-map', '0:v:0', ...(audio === null ? [] : ['-map', '1:a:0']), '-c', 'copy'],
      ...['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact'],
      ...['-movflags', '+faststart', '-f', 'mp4', target],
    ],
    failed: 'The MP4 could not be put together.',
  });
}
