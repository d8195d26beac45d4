/** An ffmpeg that writes down how it was called, and then is ffmpeg. */
import { readFile } from 'node:fs/promises';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import type { Clips } from './clips.ts';

export interface Counted {
  readonly binaries: Binaries;
  /** For each call that encodes renditions, their names. */
  encoded(): Promise<string[][]>;
  /** For each of these calls, how many frames it left out of the rungs that it did not begin at their beginning. */
  leftOut(): Promise<number[][]>;
  /** How often it was called for something else. */
  others(): Promise<number>;
}

/** `options` of ffmpeg come before all others, so before those of the first input. */
export async function counted(clips: Clips, name: string, options = ''): Promise<Counted> {
  const log = await clips.write(`${name}.calls`, '');
  const { ffmpeg } = clips.binaries;
  const script = await clips.script(name, `printf '%s\\n' "$*" >> '${log}'\nexec '${ffmpeg}' ${options} "$@"`);
  const found = (lines: string[], pattern: RegExp) =>
    lines.map((line) => [...line.matchAll(pattern)].map(([, group]) => group ?? ''));
  const lines = async () => (await readFile(log, 'utf8')).split('\n').filter(Boolean);
  const calls = async () => found(await lines(), /(\w+)\.pipe/g);
  return {
    binaries: { ...clips.binaries, ffmpeg: script },
    encoded: async () => (await calls()).filter((names) => names.length > 0),
    leftOut: async () => {
      const encoding = (await lines()).filter((line) => /\w\.pipe/.test(line));
      return found(encoding, /trim=start_frame=(\d+)/g).map((frames) => frames.map(Number));
    },
    others: async () => (await calls()).filter((names) => names.length === 0).length,
  };
}
