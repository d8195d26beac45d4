/**
 * What this machine can do. Each tool is run once; what is missing is named together with how to get it. libvmaf is
 * the one thing that may be missing: without it renditions are not measured.
 */
import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type Binaries, locate, TOOLS, type Tool } from './binaries.ts';
import { run } from './child.ts';

const REQUIRED = [
  ['encoders', 'libx264'],
  ['encoders', 'aac'],
  ['filters', 'zscale'],
] as const;

export interface Capabilities {
  /** By tool: where it is and what it calls itself; null when it does not run. */
  readonly tools: Record<Tool, { readonly path: string; readonly version: string } | null>;
  /** By name: whether ffmpeg has it. */
  readonly parts: Record<'libx264' | 'aac' | 'zscale' | 'libvmaf', boolean>;
  readonly cores: number;
  readonly workFolder: string;
  readonly freeBytes: number;
  /** What is missing and how to get it, in sentences. Empty: it can work. */
  readonly problems: readonly string[];
}

export class ToolsMissing extends Error {
  override readonly name = 'ToolsMissing';
}

export async function examine(
  chosen: { readonly [T in Tool]?: string },
  folder: string,
  signal: AbortSignal,
): Promise<Capabilities> {
  const paths = {
    ffmpeg: await locate('ffmpeg', chosen.ffmpeg, folder),
    ffprobe: await locate('ffprobe', chosen.ffprobe, folder),
    packager: await locate('packager', chosen.packager, folder),
  };
  const ask = async (path: string | null, ...args: string[]): Promise<string | null> => {
    if (path === null) return null;
    const ended = await run({ file: path, args, cwd: folder, signal, timeoutMs: 20_000 });
    return ended.ok ? ended.stdout : null;
  };
  const [ffmpeg, encoders, filters, ffprobe, packager] = await Promise.all([
    ask(paths.ffmpeg, '-version'),
    ask(paths.ffmpeg, '-hide_banner', '-v', 'error', '-encoders'),
    ask(paths.ffmpeg, '-hide_banner', '-v', 'error', '-filters'),
    ask(paths.ffprobe, '-version'),
    ask(paths.packager, '--version'),
  ]);
  signal.throwIfAborted();
  const has = (list: string | null, name: string) => new RegExp(`^ \\S+ +${name} `, 'm').test(list ?? '');
  const lists = { encoders, filters };
  const lacking = REQUIRED.filter(([list, name]) => ffmpeg !== null && !has(lists[list], name));
  const answers = { ffmpeg, ffprobe, packager };
  const { bavail, bsize } = await statfs(folder);
  return {
    tools: {
      ffmpeg: described(paths.ffmpeg, ffmpeg),
      ffprobe: described(paths.ffprobe, ffprobe),
      packager: described(paths.packager, packager),
    },
    parts: {
      libx264: has(encoders, 'libx264'),
      aac: has(encoders, 'aac'),
      zscale: has(filters, 'zscale'),
      libvmaf: has(filters, 'libvmaf'),
    },
    cores: availableParallelism(),
    workFolder: folder,
    freeBytes: bavail * bsize,
    problems: [
      ...(['ffmpeg', 'ffprobe', 'packager'] as const)
        .filter((tool) => answers[tool] === null)
        .map((tool) => missing(tool, paths[tool])),
      ...lacking.map(([list, name]) => lacks(`the ${list.slice(0, -1)} ${name}`)),
    ],
  };
}

/** The three tools, or an error that names what is missing. */
export function required({ tools: { ffmpeg, ffprobe, packager }, problems }: Capabilities): Binaries {
  if (problems.length > 0 || !ffmpeg || !ffprobe || !packager) throw new ToolsMissing(problems.join('\n'));
  return { ffmpeg: ffmpeg.path, ffprobe: ffprobe.path, packager: packager.path };
}

/** The tools, looked up and tried; throws `ToolsMissing` when this machine cannot work. */
export const findBinaries = async (...where: Parameters<typeof examine>): Promise<Binaries> =>
  required(await examine(...where));

/** `ffmpeg version n7.0 Copyright ...`, `packager version v3.4.2-...`. */
function described(path: string | null, answer: string | null): { path: string; version: string } | null {
  if (path === null || answer === null) return null;
  return { path, version: /version v?(\S+)/.exec(answer)?.[1] ?? 'of unknown version' };
}

const lacks = (what: string): string => `ffmpeg lacks ${what}: ${TOOLS.ffmpeg.get}, or point FFMPEG_PATH at one.`;

function missing(tool: Tool, path: string | null): string {
  const { get, variable } = TOOLS[tool];
  return `${tool} ${path === null ? 'was not found' : `does not run (${path})`}: ${get}, or set ${variable}.`;
}
