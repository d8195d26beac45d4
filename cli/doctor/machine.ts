/** Whether this machine can transcode: the transcoder is asked, which looks at what it would work with. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ROOT } from '../../tools/paths.mjs';
import { sizeText } from '../display/units.ts';
import { type Check, fail, ok, warn } from './check.ts';

const Tool = z.object({ path: z.string(), version: z.string() }).nullable();
const Machine = z.object({
  tools: z.object({ ffmpeg: Tool, ffprobe: Tool, packager: Tool }),
  parts: z.object({ libvmaf: z.boolean() }),
  freeBytes: z.number(),
  problems: z.array(z.string()),
});
type Machine = z.infer<typeof Machine>;

const Said = z.object({ stdout: z.string(), stderr: z.string() });

/** A minute of video may take some 100 MB while it is worked on. */
const FREE = { least: 1e9, enough: 10e9 };
const MAKE_ROOM = 'Free some space, or set WORK_DIR to a folder where there is more.';

export async function checkMachine(stop: AbortSignal): Promise<Check[]> {
  const { stdout, stderr } = await askTranscoder(stop);
  if (stdout === '')
    return [fail('tools', `the transcoder does not start: ${reasonIn(stderr)}`, 'Set that right first.')];
  const machine = Machine.parse(JSON.parse(stdout));
  return [...(['ffmpeg', 'ffprobe', 'packager'] as const).map((tool) => checkTool(machine, tool)), checkDisk(machine)];
}

/** It ends with 1 when something is missing, and has said what; without a word when its settings cannot be used. */
async function askTranscoder(stop: AbortSignal): Promise<z.infer<typeof Said>> {
  const args = [join(ROOT, 'transcoder-node', 'main.ts'), '--check', '--json'];
  const { REELWIRE_KEY, ...env } = process.env;
  try {
    return await promisify(execFile)(process.execPath, args, { env, signal: stop });
  } catch (error) {
    stop.throwIfAborted();
    return Said.parse(error);
  }
}

/** Its log has one JSON object a line; what the system says has none. */
function reasonIn(stderr: string): string {
  const [line = ''] = stderr.trim().split('\n').slice(-1);
  try {
    return z.object({ msg: z.string() }).parse(JSON.parse(line)).msg;
  } catch {
    return line;
  }
}

function checkTool({ tools, parts, problems }: Machine, tool: keyof Machine['tools']): Check {
  const found = tools[tool];
  const problem = problems.filter((text) => text.startsWith(`${tool} `)).join(' ');
  if (found === null || problem !== '') return fail(tool, found === null ? 'missing' : found.path, problem);
  const text = `${found.version} (${found.path})`;
  if (tool !== 'ffmpeg' || parts.libvmaf) return ok(tool, text);
  return warn(
    tool,
    text,
    'It has no libvmaf, so the quality of renditions is not measured: any ffmpeg with libvmaf adds it.',
  );
}

function checkDisk({ freeBytes }: Machine): Check {
  const found = `${sizeText(freeBytes)} free for work`;
  if (freeBytes < FREE.least) return fail('disk', found, MAKE_ROOM);
  return freeBytes < FREE.enough
    ? warn('disk', found, `That will not do for long videos. ${MAKE_ROOM}`)
    : ok('disk', found);
}
