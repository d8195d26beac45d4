/** The command line of the demo: `npm run demo [-- FILE] [--json]`. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal } from '../main.ts';

export interface VideoFile {
  path: string;
  name: string;
  bytes: number;
}

export interface DemoOptions {
  /** `null`: a clip is made. */
  file: VideoFile | null;
  json: boolean;
}

const USAGE = 'Usage: npm run demo [-- FILE] [--json]';

export function readOptions(args: string[], env: NodeJS.ProcessEnv): DemoOptions {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) {
    throw new Refusal(`The demo takes one file, not ${positionals.length}. Quote a name that has spaces.\n${USAGE}`, 2);
  }
  const [given] = positionals;
  return {
    file: given === undefined ? null : readFile(given, resolve(env.INIT_CWD || process.cwd(), given)),
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean', default: false } } });
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, 2);
  }
}

function readFile(given: string, path: string): VideoFile {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new Refusal(`There is no file ${given} (looked for ${path}). Check the name.`, 2);
  if (!stat.isFile()) throw new Refusal(`${given} is not a file. Name a video file, or none for a generated clip.`, 2);
  if (stat.size === 0) throw new Refusal(`${given} is empty. Name a video file, or none for a generated clip.`, 2);
  return { path, name: basename(path), bytes: stat.size };
}
