/**
 * The variables of the local edge. `wrangler dev` reads `.dev.vars` by itself; `.dev.vars.local`, which is not tracked,
 * has to be named, and is told after it. A transcoder beside it needs the token that the edge asks for.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { ROOT } from './paths.mjs';

const OWN = '.dev.vars.local';

const files = (folder: string): string[] =>
  ['.dev.vars', OWN].map((name) => join(folder, name)).filter((file) => existsSync(file));

/** Arguments of `wrangler dev`: none where there is nothing but `.dev.vars`. */
export function envFileArguments(folder: string = ROOT): string[] {
  return existsSync(join(folder, OWN)) ? files(folder).flatMap((file) => ['--env-file', file]) : [];
}

/** `TRANSCODER_TOKEN`, if the edge has one. */
export function transcoderToken(folder: string = ROOT): { TRANSCODER_TOKEN?: string } {
  const variables = Object.assign({}, ...files(folder).map((file) => parseEnv(readFileSync(file, 'utf8'))));
  const { TRANSCODER_TOKEN } = z.object({ TRANSCODER_TOKEN: z.string().optional() }).parse(variables);
  return TRANSCODER_TOKEN ? { TRANSCODER_TOKEN } : {};
}
