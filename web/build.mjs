/**
 * Builds the web app into web/dist, from where the Worker serves it. wrangler runs this before it serves or deploys, and
 * the tests before they begin, so it does nothing when nothing has changed: web/dist/.built, written last, holds the hash
 * of all that the files are made of. Who holds the lock builds into a folder beside the final one and copies from there:
 * a server that watches web/dist goes on watching it.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { acquire, LockHeld } from '../tools/lock.mjs';
import { ROOT } from '../tools/paths.mjs';

const WEB = join(ROOT, 'web');
const DIST = join(WEB, 'dist');
const STAMP = '.built';
const SOURCES = ['web/src/**/*.*', 'web/*.{mjs,json}', 'client/*.ts', 'src/contract/*.ts', 'package-lock.json'];
const LOCK_POLL_MS = 100;

function fingerprint() {
  const hash = createHash('sha256');
  for (const name of globSync(SOURCES, { cwd: ROOT }).sort()) {
    hash.update(`${name}\n`).update(readFileSync(join(ROOT, name)));
  }
  return hash.digest('hex');
}

function isBuilt() {
  const stamp = join(DIST, STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint();
}

async function lockBuild() {
  for (;;) {
    try {
      return acquire(join(ROOT, '.wrangler', 'web.lock'));
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      await delay(LOCK_POLL_MS);
    }
  }
}

async function buildWeb() {
  if (isBuilt()) return;
  const lock = await lockBuild();
  try {
    if (isBuilt()) return;
    const built = fingerprint();
    const partial = `${DIST}.partial`;
    const { build } = await import('vite');
    const { settings } = await import('./settings.mjs');
    await build({ ...settings, build: { ...settings.build, outDir: partial } });
    rmSync(join(DIST, STAMP), { force: true });
    cpSync(partial, DIST, { recursive: true });
    for (const name of globSync('assets/*', { cwd: DIST }))
      if (!existsSync(join(partial, name))) rmSync(join(DIST, name));
    rmSync(partial, { recursive: true });
    writeFileSync(join(DIST, STAMP), built);
  } finally {
    lock.release();
  }
}

// Whoever runs this, a test too, gets what people get.
process.env.NODE_ENV = 'production';
await buildWeb();
