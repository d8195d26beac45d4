/** An ffmpeg that writes down how it was called, and then is ffmpeg. */
import { readFile } from 'node:fs/promises';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import type { Clips } from './clips.ts';

export interface Counted {
  readonly binaries: Binaries;
  /** For each call that encodes renditions, their names. */
  encoded(): Promise<string[][]>;
  /** How often it was called for something else. */
  others(): Promise<number>;
}

/** `options` of ffmpeg come before all others, so before those of the first input. */
export async function counted(clips: Clips, name: string, options = ''): Promise<Counted> {
  const log = await clips.write(`${name}.calls`, '');
  const { ffmpeg } = clips.binaries;
  const script = await clips.script(name, `printf '%s\\n' "$*" >> '${log}'\nexec '${ffmpeg}' ${options} "$@"`);
  const calls = async () => {
    const lines = (await readFile(log, 'utf8')).split('\n').filter(Boolean);
    return lines.map((line) => [...line.matchAll(/(\w+)\.pipe/g)].map(([, rendition]) => rendition ?? ''));
  };
  return {
    binaries: { ...clips.binaries, ffmpeg: script },
    encoded: async () => (await calls()).filter((names) => names.length > 0),
    others: async () => (await calls()).filter((names) => names.length === 0).length,
  };
}
