/**
 * The frame around every command. SIGINT, SIGTERM, SIGHUP, a reader of our output that went away and the death of the
 * npm that started us all become one abort signal; the command cleans up and returns its exit code. npm repeats a
 * Ctrl-C that the terminal has sent to all of us already, so later signals mean nothing new.
 */
import { constants } from 'node:os';

/** Something the person at the terminal can mend: shown without a stack. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly exitCode: 1 | 2 | 3;

  /** `exitCode` 2 is for a command line or setting that cannot be used, 3 for a server that refuses or does not answer. */
  constructor(message: string, exitCode: Refusal['exitCode'] = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Why `stop` was aborted. */
export class Interruption extends Error {
  override name = 'Interruption';
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`Stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

const PARENT_CHECK_MS = 1000;

let interrupted: (() => void) | null = null;

/** SIGINT no longer stops the command, but calls `handler`; until the returned function is called. */
export function takeInterrupts(handler: () => void): () => void {
  interrupted = handler;
  return () => {
    interrupted = null;
  };
}

export async function main(command: (stop: AbortSignal) => Promise<number>): Promise<never> {
  const stop = new AbortController();
  const interrupt = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => {
    if (signal === 'SIGINT' && interrupted) interrupted();
    else stop.abort(new Interruption(signal));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  process.stdout.on('error', () => interrupt('SIGHUP'));
  process.stderr.on('error', () => interrupt('SIGHUP'));

  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) interrupt('SIGHUP');
  }, PARENT_CHECK_MS);
  if (process.env.npm_lifecycle_event === undefined) clearInterval(watch);

  const code = await command(stop.signal).catch(report);
  clearInterval(watch);
  process.exit(code);
}

function report(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof Refusal) {
    console.error(error.message);
    return error.exitCode;
  }
  console.error(error);
  return 1;
}
