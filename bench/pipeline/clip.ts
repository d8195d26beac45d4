/**
 * The clips: a zoom into moving texture, softened and grained like footage, 1080p30, H.264 at 12-15 Mbit/s with AAC.
 * Its details are such that x264 at crf 23 stays under the caps of the ladder, so that both sides encode alike.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export async function makeClip(ffmpeg: string, path: string, seconds: number): Promise<void> {
  const texture = `mandelbrot=s=1920x1080:r=30:end_scale=0.1:maxiter=200:end_pts=${seconds * 30}`;
  await promisify(execFile)(ffmpeg, [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', texture, '-f', 'lavfi', '-i', 'anoisesrc=c=pink:a=0.1:seed=1'],
    ...['-t', String(seconds), '-vf', 'gblur=1.3,noise=alls=5:allf=t:all_seed=1,format=yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '13M', '-maxrate', '15M', '-bufsize', '15M'],
    ...['-c:a', 'aac', '-b:a', '160k', '-ac', '2', path],
  ]);
}
