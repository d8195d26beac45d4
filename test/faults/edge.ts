/**
 * The system with the edge whose platform can fail: wrangler.toml as it is, but with the test's entry for the Worker,
 * and with waits short enough for a test.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratch, removeScratch } from '../../tools/scratch.mjs';
import { ROOT, System } from '../e2e/system.ts';

const ENTRY = join(import.meta.dirname, 'edge/entry.ts');
const MAIN = /^main = .*$/m;

/** The web app is built where it is, and served from there. */
const WEB = /^(command = "node |directory = ")(?=web\/)/gm;

/** In ms. The lease bears the delays and restarts of a round on a busy machine. */
export const SETTINGS = { LEASE_MS: '3000', RING_AGAIN_MS: '1500', SWEEP_AGAIN_MS: '1000' };

export async function startFaultyEdge(settings: Record<string, string> = SETTINGS): Promise<System> {
  const toml = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
  if (!MAIN.test(toml)) throw new Error('wrangler.toml names no main');
  const folder = makeScratch('faults');
  const config = join(folder, 'wrangler.toml');
  await writeFile(config, toml.replace(MAIN, `main = ${JSON.stringify(ENTRY)}`).replace(WEB, `$1${ROOT}/`));
  const system = await System.start(settings, config);
  system.onStop(() => removeScratch(folder));
  return system;
}
