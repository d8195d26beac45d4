/** Runs one of the installed programs with its output passed through, and ends it when the whole run is stopped. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { ROOT } from '../paths.mjs';

/** Resolves with its exit code; 1 when it could not be started or was ended by a signal. Throws if stopped. */
export async function runProgram(name: string, args: string[], stop: AbortSignal): Promise<number> {
  stop.throwIfAborted();
  const bin = join(ROOT, 'node_modules', '.bin');
  const child = spawn(join(bin, name), args, {
    cwd: ROOT,
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const end = () => child.kill('SIGTERM');
  stop.addEventListener('abort', end, { once: true });
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.error(`${name} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (exit) => resolve(exit ?? 1));
  });
  stop.removeEventListener('abort', end);
  stop.throwIfAborted();
  return code;
}
