/**
 * Whether node_modules holds what package-lock.json asks for. npm notes what it installed in
 * node_modules/.package-lock.json, and only once an install has ended; comparing the two recognises a complete install
 * however it was made, and misses nothing that was left out (`--omit=dev`, an optional package that did not arrive).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function isInstalled(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const found = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === null || found === null) return false;
  const required = optionalsForThisMachine(wanted);
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.link) return true;
    const there = found[path];
    if (there === undefined) return (entry.optional || entry.devOptional || entry.peer) && !required.has(path);
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

/** Optional packages that we ask for ourselves (programs for one kind of machine) are not optional where they fit. */
function optionalsForThisMachine(packages) {
  const direct = Object.entries(packages)
    .filter(([path]) => !path.includes('node_modules'))
    .flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
  return new Set(direct.map((name) => `node_modules/${name}`).filter((path) => fits(packages[path])));
}

const fits = (entry) =>
  entry !== undefined &&
  (entry.os === undefined || entry.os.includes(process.platform)) &&
  (entry.cpu === undefined || entry.cpu.includes(process.arch));

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? null;
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}
