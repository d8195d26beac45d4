/**
 * What this machine must bring along. On linux-x64 everything comes with the dependencies (Node 24, ffmpeg, ffprobe),
 * elsewhere nothing does. Node 22.18 is the first that runs TypeScript without a flag.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const COMPLETE = 'linux-x64';

/** A message for people, or `null` when nothing is missing. */
export function whatIsMissing(machine = `${process.platform}-${process.arch}`, env = process.env) {
  if (machine === COMPLETE) return null;
  const lines = [];
  if (!runsTypeScript(process.versions.node)) {
    lines.push(`- Node.js 22.18 or newer (this is ${process.versions.node}): https://nodejs.org/en/download`);
  }
  const absent = ['ffmpeg', 'ffprobe'].filter((name) => !env[`${name.toUpperCase()}_PATH`] && !isOnPath(name, env));
  if (absent.length > 0) {
    const how = machine.startsWith('darwin') ? 'brew install ffmpeg' : 'sudo apt-get install ffmpeg';
    lines.push(`- ${absent.join(' and ')} with libx264: ${how} (or set FFMPEG_PATH and FFPROBE_PATH)`);
  }
  if (lines.length === 0) return null;
  return ['Reelwire needs, on this kind of machine, also:', ...lines, 'Install that, then run the command again.'].join(
    '\n',
  );
}

function runsTypeScript(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

const isOnPath = (name, env) => (env.PATH ?? '').split(delimiter).some((folder) => isProgram(join(folder, name)));

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
