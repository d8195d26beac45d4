/**
 * A real Chromium with nothing installed by hand. The package brings the browser and the libraries it needs as brotli
 * files; they are unpacked once into node_modules/.cache, where `npm ci` removes them together with the package. Who
 * holds the lock unpacks into a folder beside the final one and renames it, so the final one is whole or not there.
 * The browser obeys a pipe of this process: it ends when the pipe closes, however this process ends.
 * CHROMIUM_PATH names another browser, for machines that the package has none for.
 */
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBrotliDecompress } from 'node:zlib';
import { execa } from 'execa';
import { type Browser, chromium } from 'playwright-core';
import { acquire, LockHeld } from '../../tools/lock.mjs';
import { ROOT } from '../../tools/paths.mjs';

const PACKAGE = join(ROOT, 'node_modules/@sparticuz/chromium');
const CACHE = join(ROOT, 'node_modules/.cache/reelwire');
const LOCK_POLL_MS = 100;

const ARGS = [
  '--headless=shell',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required',
];

/** The caller closes it. */
export async function openChromium(): Promise<Browser> {
  const { PATH, CHROMIUM_PATH } = process.env;
  const own = { ...(PATH && { PATH }) };
  if (CHROMIUM_PATH) return chromium.launch({ executablePath: CHROMIUM_PATH, args: ARGS, env: own });
  const folder = await unpacked();
  const env = { ...own, LD_LIBRARY_PATH: join(folder, 'lib') };
  return chromium.launch({ executablePath: join(folder, 'chromium'), args: ARGS, env });
}

/** The folder with `chromium` and `lib`. */
async function unpacked(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The Chromium from npm runs on linux-x64 only: set CHROMIUM_PATH to a Chromium or Chrome.');
  }
  const { version } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  const folder = join(CACHE, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  const lock = await lockCache();
  try {
    if (!existsSync(folder)) await unpack(folder);
    return folder;
  } finally {
    lock.release();
  }
}

async function lockCache(): Promise<ReturnType<typeof acquire>> {
  for (;;) {
    try {
      return acquire(join(CACHE, 'chromium.lock'));
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      await sleep(LOCK_POLL_MS);
    }
  }
}

/**
 * What a killed process left half unpacked is removed first. The archive goes through a file: from a pipe tar stops
 * reading at the end mark, and whoever writes the padding behind it fails.
 */
async function unpack(folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const brotli = (name: string, target: string) => {
    const file = createWriteStream(join(partial, target), { mode: 0o755 });
    return pipeline(createReadStream(join(PACKAGE, 'bin', name)), createBrotliDecompress(), file);
  };
  await Promise.all([brotli('chromium.br', 'chromium'), brotli('al2023.tar.br', 'lib.tar')]);
  await execa('tar', ['-x', '-f', 'lib.tar'], { cwd: partial });
  await rm(join(partial, 'lib.tar'));
  await rename(partial, folder);
}
