/**
 * What is compared with: (a) the script a user would write, one encode after another, a full VMAF of each, then
 * packaging; (c) the limit, the same four encodes from one decode, their output thrown away.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const RUNGS = [1080, 720, 480, 360] as const;

export interface Tools {
  ffmpeg: string;
  packager: string;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** (a), as one shell script over files in `folder`. */
export function userScript({ ffmpeg, packager }: Tools, clip: string, folder: string): string[] {
  const file = (name: string): string => quoted(join(folder, name));
  const encodes = RUNGS.map(
    (h) =>
      `${quoted(ffmpeg)} -v error -y -i ${quoted(clip)} -vf scale=-2:${h} -c:v libx264 -preset veryfast -crf 23 -g 120 -keyint_min 120 -sc_threshold 0 -c:a aac ${file(`${h}.mp4`)}`,
  );
  const vmafs = RUNGS.map((h) => fullVmaf(ffmpeg, clip, join(folder, `${h}.mp4`), join(folder, `${h}.json`)));
  const streams = RUNGS.map(
    (h) =>
      `in=${file(`${h}.mp4`)},stream=video,init_segment=${file(`${h}-init.mp4`)},segment_template=${file(`${h}-$Number$.m4s`)}`,
  );
  const audio = `in=${file('1080.mp4')},stream=audio,init_segment=${file('a-init.mp4')},segment_template=${file('a-$Number$.m4s')}`;
  const packaging = `${quoted(packager)} ${[...streams, audio].join(' ')} --segment_duration 4 --quiet --mpd_output ${file('m.mpd')} --hls_master_playlist_output ${file('m.m3u8')}`;
  return ['bash', '-ec', [...encodes, ...vmafs, packaging].join('\n')];
}

/** VMAF of every frame, the rendition scaled up to the source. */
export function fullVmaf(ffmpeg: string, clip: string, rendition: string, log: string): string {
  const graph = `[0:v]scale=1920:1080:flags=bicubic[d];[d][1:v]libvmaf=n_threads=2:log_fmt=json:log_path=${log}`;
  return `${quoted(ffmpeg)} -v error -i ${quoted(rendition)} -i ${quoted(clip)} -filter_complex ${quoted(graph)} -f null -`;
}

const Log = z.object({ pooled_metrics: z.object({ vmaf: z.object({ mean: z.number() }) }) });

export const meanOf = (log: string): number =>
  Log.parse(JSON.parse(readFileSync(log, 'utf8'))).pooled_metrics.vmaf.mean;

/** (c). */
export function limit({ ffmpeg }: Tools, clip: string): string[] {
  const names = RUNGS.map((_, i) => `[s${i}]`).join('');
  const scales = RUNGS.map((h, i) => `[s${i}]scale=-2:${h}:flags=bicubic[v${i}]`);
  const outputs = RUNGS.flatMap((_, i) => [
    ...['-map', `[v${i}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23'],
    ...['-g', '120', '-keyint_min', '120', '-sc_threshold', '0', '-f', 'null', '-'],
  ]);
  const graph = [`[0:v]split=${RUNGS.length}${names}`, ...scales].join(';');
  return [ffmpeg, '-v', 'error', '-nostdin', '-i', clip, '-filter_complex', graph, ...outputs];
}
