/** Runs one of the installed programs with its output passed through, and ends it when the whole run is stopped. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../paths.mjs';

/** How long its last words may take to arrive. */
const LAST_WORDS_MS = 2000;

/**
 * Resolves with its exit code; 1 when it could not be started or was ended by a signal. Throws if stopped. `onLine` is
 * told every line of its output.
 */
export async function runProgram(
  name: string,
  args: string[],
  stop: AbortSignal,
  onLine: (line: string) => void,
): Promise<number> {
  stop.throwIfAborted();
  const bin = join(ROOT, 'node_modules', '.bin');
  const child = spawn(join(bin, name), args, {
    cwd: ROOT,
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(process.stdout, { end: false });
  child.stderr.pipe(process.stderr, { end: false });
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
  // What it has left running may hold its output open.
  const closed = new Promise((resolve) => child.once('close', resolve));
  const end = () => child.kill('SIGTERM');
  stop.addEventListener('abort', end, { once: true });
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.error(`${name} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (exit) => resolve(exit ?? 1));
  });
  await Promise.race([closed, sleep(LAST_WORDS_MS)]);
  stop.removeEventListener('abort', end);
  stop.throwIfAborted();
  return code;
}
