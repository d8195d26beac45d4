/** Reads storyboards and pictures as a player would: what the cues say, and what the pixels show. */
import { execa } from 'execa';
import { expect } from 'vitest';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';

export interface Cue {
  readonly from: string;
  readonly to: string;
  readonly sheet: string;
  readonly box: readonly [number, number, number, number];
}

export function cuesOf(vtt: string): Cue[] {
  const [head, ...blocks] = vtt.trimEnd().split('\n\n');
  expect(head).toBe('WEBVTT');
  return blocks.map((block) => {
    const time = '(\\d{2,}:[0-5]\\d:[0-5]\\d\\.\\d{3})';
    const found = new RegExp(`^${time} --> ${time}\\n(sheet-\\d+\\.jpg)#xywh=(\\d+),(\\d+),(\\d+),(\\d+)$`).exec(block);
    const [, from = '', to = '', sheet = '', ...box] = found ?? [];
    expect(found, block).not.toBeNull();
    return { from, to, sheet, box: box.map(Number) as unknown as Cue['box'] };
  });
}

/** Seconds of `HH:MM:SS.mmm`. */
export const at = (clock: string): number =>
  clock.split(':').reduce((sum, part) => sum * 60 + Math.round(Number(part) * 1000), 0) / 1000;

export async function sizeOf(binaries: Binaries, path: string): Promise<{ width: number; height: number }> {
  const args = ['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'json', path];
  const { stdout } = await execa(binaries.ffprobe, args);
  const [stream] = (JSON.parse(stdout) as { streams: Array<{ codec_name: string; width: number; height: number }> })
    .streams;
  expect(stream?.codec_name).toBe('mjpeg');
  return { width: stream?.width ?? 0, height: stream?.height ?? 0 };
}

/** Mean brightness (0-255) of a rectangle, or of the whole picture. */
export async function brightness(binaries: Binaries, path: string, box?: Cue['box']): Promise<number> {
  const crop = box ? `crop=${box[2]}:${box[3]}:${box[0]}:${box[1]},` : '';
  const args = ['-v', 'error', '-i', path, '-vf', `${crop}format=gray,scale=1:1:flags=area`, '-f', 'rawvideo', '-'];
  const { stdout } = await execa(binaries.ffmpeg, args, { encoding: 'buffer' });
  return stdout[0] ?? Number.NaN;
}
