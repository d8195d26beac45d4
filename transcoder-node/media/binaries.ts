/**
 * Finds the three tools: the operator's path, then the one that npm brought, then PATH. Install scripts do not run in
 * this project, so the run bit that a package would set for itself is set here, or, where the package is not ours to
 * change, on a copy.
 */
import { access, chmod, constants, copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export interface Binaries {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  readonly packager: string;
}

export type Tool = keyof Binaries;

const PLATFORM = `${process.platform}-${process.arch}`;
const SHAKA_OS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'osx' };

export const TOOLS: Record<Tool, { pkg: string; file: string; onPath: string; variable: string; get: string }> = {
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

export async function locate(tool: Tool, chosen: string | undefined, folder: string): Promise<string | null> {
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
