/**
 * Finds the three tools: the operator's path, then the one that npm brought, then PATH. Each is run once; what is
 * missing is named together with how to get it. Install scripts do not run in this project, so the run bit that a
 * package would set for itself is set here, or, where the package is not ours to change, on a copy.
 */
import { access, chmod, constants, copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { run } from './child.ts';

export interface Binaries {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  readonly packager: string;
}

type Tool = keyof Binaries;

const PLATFORM = `${process.platform}-${process.arch}`;
const SHAKA_OS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'osx' };

const TOOLS: Record<Tool, { pkg: string; file: string; onPath: string; variable: string; get: string }> = {
  ffmpeg: {
    pkg: `@ffmpeg-binary/${PLATFORM}`,
    file: 'ffmpeg',
    onPath: 'ffmpeg',
    variable: 'FFMPEG_PATH',
    get: 'install ffmpeg 6 or later with libx264 and zscale (Debian: apt install ffmpeg, macOS: brew install ffmpeg-full)',
  },
  ffprobe: {
    pkg: `@ffprobe-installer/${PLATFORM}`,
    file: 'ffprobe',
    onPath: 'ffprobe',
    variable: 'FFPROBE_PATH',
    get: 'install ffmpeg, which brings ffprobe',
  },
  packager: {
    pkg: 'shaka-packager',
    file: `bin/packager-${SHAKA_OS[process.platform] ?? process.platform}-${process.arch}`,
    onPath: 'packager',
    variable: 'PACKAGER_PATH',
    get: 'get Shaka Packager 3.4 from https://github.com/shaka-project/shaka-packager/releases',
  },
};

export class ToolsMissing extends Error {
  override readonly name = 'ToolsMissing';
}

export async function findBinaries(
  chosen: { readonly [T in Tool]?: string },
  folder: string,
  signal: AbortSignal,
): Promise<Binaries> {
  const found = {
    ffmpeg: await locate('ffmpeg', chosen.ffmpeg, folder),
    ffprobe: await locate('ffprobe', chosen.ffprobe, folder),
    packager: await locate('packager', chosen.packager, folder),
  };
  const ask = (file: string | null, ...args: string[]) =>
    file === null ? null : run({ file, args, cwd: folder, signal, timeoutMs: 20_000 });
  const [encoders, filters, ffprobe, packager] = await Promise.all([
    ask(found.ffmpeg, '-hide_banner', '-v', 'error', '-encoders'),
    ask(found.ffmpeg, '-hide_banner', '-v', 'error', '-filters'),
    ask(found.ffprobe, '-hide_banner', '-version'),
    ask(found.packager, '--version'),
  ]);
  signal.throwIfAborted();
  const problems = [
    ...missing('ffmpeg', found.ffmpeg, encoders?.ok),
    ...missing('ffprobe', found.ffprobe, ffprobe?.ok),
    ...missing('packager', found.packager, packager?.ok),
  ];
  if (encoders?.ok && !/\blibx264\b/.test(encoders.stdout)) problems.push(lacks('the encoder libx264'));
  if (filters?.ok && !/\bzscale\b/.test(filters.stdout)) problems.push(lacks('the filter zscale'));
  if (problems.length > 0 || !found.ffmpeg || !found.ffprobe || !found.packager) {
    throw new ToolsMissing(problems.join('\n'));
  }
  return { ffmpeg: found.ffmpeg, ffprobe: found.ffprobe, packager: found.packager };
}

const lacks = (what: string): string => `ffmpeg lacks ${what}: ${TOOLS.ffmpeg.get}, or point FFMPEG_PATH at one.`;

function missing(tool: Tool, file: string | null, ok: boolean | undefined): string[] {
  if (ok) return [];
  const { get, variable } = TOOLS[tool];
  return [`${tool} ${file === null ? 'was not found' : `does not run (${file})`}: ${get}, or set ${variable}.`];
}

async function locate(tool: Tool, chosen: string | undefined, folder: string): Promise<string | null> {
  return chosen ?? (await bundled(tool, folder)) ?? (await onPath(TOOLS[tool].onPath));
}

async function bundled(tool: Tool, folder: string): Promise<string | null> {
  const { pkg, file } = TOOLS[tool];
  const path = packageFile(pkg, file);
  if (path === null || (await can(path, constants.X_OK))) return path;
  if (!(await can(path, constants.R_OK))) return null;
  try {
    await chmod(path, 0o755);
    return path;
  } catch {
    const copy = join(folder, tool);
    await copyFile(path, copy);
    await chmod(copy, 0o755);
    return copy;
  }
}

function packageFile(pkg: string, file: string): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${pkg}/package.json`)), file);
  } catch {
    return null;
  }
}

async function onPath(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (await can(path, constants.X_OK)) return path;
  }
  return null;
}

const can = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );
