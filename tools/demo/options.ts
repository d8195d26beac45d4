/** The command line of the demo: `npm run demo [-- FILE] [--json]`. */
import { parseArgs } from 'node:util';
import { readVideo, type VideoFile } from '../../cli/videos.ts';
import { Refusal } from '../main.ts';
import { asVariables, refuseOptions } from '../settings.ts';

export interface DemoOptions {
  /** `null`: a clip is made. */
  file: VideoFile | null;
  json: boolean;
}

const COMMAND = 'npm run demo';
const USAGE = `Usage: ${COMMAND} [-- FILE] [--json]\n${asVariables(COMMAND)}`;

export function readOptions(args: string[], env: NodeJS.ProcessEnv): DemoOptions {
  refuseOptions(COMMAND, [], env);
  const { values, positionals } = parse(args);
  if (positionals.length > 1) {
    throw new Refusal(`The demo takes one file, not ${positionals.length}. Quote a name that has spaces.\n${USAGE}`, 2);
  }
  const [given] = positionals;
  return {
    file:
      given === undefined
        ? null
        : readVideo(given, env.INIT_CWD || process.cwd(), 'Name a video file, or none for a generated clip.'),
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean', default: false } } });
  } catch (error) {
    const [what] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new Refusal(`${what}.\n${USAGE}`, 2);
  }
}
