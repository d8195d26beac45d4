/** Makes the demo's own video: ten seconds of a moving test picture with a tone. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readVideo, type VideoFile } from '../../cli/videos.ts';
import { Refusal } from '../main.ts';
import { ROOT } from '../paths.mjs';

const SECONDS = 10;

export async function makeClip(folder: string, signal: AbortSignal): Promise<VideoFile> {
  const path = join(folder, 'reelwire-demo.mp4');
  const picture = `testsrc2=size=1280x720:rate=30:duration=${SECONDS}`;
  const tone = `sine=frequency=440:beep_factor=4:sample_rate=48000:duration=${SECONDS}`;
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  const input = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', tone];
  try {
    const args = ['-hide_banner', '-loglevel', 'error', '-nostdin', ...input, ...encode, '-y', path];
    await promisify(execFile)(ffmpeg(), args, { signal, killSignal: 'SIGKILL' });
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      `The demo clip could not be made. Check FFMPEG_PATH, or name a video of yours: npm run demo -- FILE\n${reason}`,
    );
  }
  return readVideo(path, folder, 'Name a video of yours: npm run demo -- FILE');
}

/** `FFMPEG_PATH`, else the bundled program, else the one on PATH. */
function ffmpeg(): string {
  const bundled = join(ROOT, 'node_modules', '@ffmpeg-binary', `${process.platform}-${process.arch}`, 'ffmpeg');
  return process.env.FFMPEG_PATH || (existsSync(bundled) ? bundled : 'ffmpeg');
}
