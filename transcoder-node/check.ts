/** What `--check` prints: the machine, line by line, and then either that it can work or what to do about it. */
import type { Config } from './config.ts';
import type { Capabilities } from './media/capabilities.ts';

const LABEL_WIDTH = 12;

export function inWords(machine: Capabilities, { workDir, slots }: Pick<Config, 'workDir' | 'slots'>): string {
  const { tools, parts, cores, freeBytes, problems } = machine;
  const tool = (found: Capabilities['tools']['ffmpeg']) => (found ? `${found.version}  (${found.path})` : 'missing');
  const part = (has: boolean) => (has ? 'yes' : 'missing');
  const lines: Array<[string, string]> = [
    ['ffmpeg', tool(tools.ffmpeg)],
    ['  libx264', part(parts.libx264)],
    ['  aac', part(parts.aac)],
    ['  zscale', part(parts.zscale)],
    ['  libvmaf', parts.libvmaf ? 'yes' : 'no: renditions will not be measured; any ffmpeg with libvmaf adds it'],
    ['ffprobe', tool(tools.ffprobe)],
    ['packager', tool(tools.packager)],
    ['cores', String(cores)],
    ['slots', String(slots)],
    ['work folder', `${workDir}, ${(freeBytes / 1e9).toFixed(1)} GB free`],
  ];
  const verdict = problems.length > 0 ? problems : ['This machine can transcode.'];
  return `${[...lines.map(([label, value]) => label.padEnd(LABEL_WIDTH) + value), '', ...verdict].join('\n')}\n`;
}
