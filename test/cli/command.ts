/**
 * The real command: as a process with its output in pipes, or on a terminal (that of util-linux's `script`), where
 * signals, keys or the process itself matter; else inside this process, with what it prints collected.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { vi } from 'vitest';
import { usage } from '../../cli/failure.ts';
import { program } from '../../cli/program.ts';
import { run } from '../../cli/run.ts';
import { ROOT } from '../../tools/paths.mjs';
import { findProgram } from '../e2e/leashed.ts';
import { Running } from '../tools/running.ts';

export const BIN = join(ROOT, 'cli/bin.mjs');

export const HAS_TERMINAL = process.platform === 'linux' && findProgram('script') !== null;

interface Said {
  out: string;
  err: string;
}

export interface Ended extends Said {
  code: number | string;
}

const calls = new AsyncLocalStorage<Said>();

/** What a call prints is kept for it; what others print meanwhile, like the edge in this process, goes its way. */
function hear(method: 'log' | 'error', where: keyof Said) {
  const print = console[method];
  return vi.spyOn(console, method).mockImplementation((...all: unknown[]) => {
    const said = calls.getStore();
    if (said) said[where] += `${all.join(' ')}\n`;
    else print(...all);
  });
}

/** The command for one server, with a folder of its own for what it remembers. */
export class Command {
  readonly #env: Record<string, string>;
  readonly #running: Running[] = [];

  constructor(url: string, folder: string, env: Record<string, string> = {}) {
    this.#env = {
      REELWIRE_URL: url,
      REELWIRE_KEY: '',
      XDG_STATE_HOME: folder,
      NO_COLOR: '1',
      FORCE_COLOR: '0',
      npm_execpath: '',
      ...env,
    };
  }

  start(...args: string[]): Running {
    return this.#add(new Running(null, [BIN, ...args], this.#env));
  }

  /** To its end, in this process. Not two at a time. */
  async run(...args: string[]): Promise<Ended> {
    const said = { out: '', err: '' };
    const spies = [hear('log', 'out'), hear('error', 'err')];
    for (const [name, value] of Object.entries(this.#env)) vi.stubEnv(name, value);
    try {
      const code = await calls.run(said, () => run(args, new AbortController().signal));
      return { code, ...said };
    } finally {
      vi.unstubAllEnvs();
      for (const spy of spies) spy.mockRestore();
    }
  }

  /** What JSON lines it prints; the rest must be in order. */
  async json(...args: string[]): Promise<unknown[]> {
    const { code, out, err } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`${code}: ${err}`);
    return jsonLines(out);
  }

  /** On a terminal of `columns`; what it shows is all in `stdout`. `type()` presses keys. */
  terminal(columns: number, ...args: string[]): Running {
    const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ');
    const shell = `stty cols ${columns} rows 24; exec ${command}`;
    return this.#add(new Running('script', ['-qefc', shell, '/dev/null'], this.#env, 'pipe'));
  }

  /** Ends what a failed test has left. */
  sweep(): void {
    for (const running of this.#running.splice(0)) running.sweep();
  }

  #add(running: Running): Running {
    this.#running.push(running);
    return running;
  }
}

export const jsonLines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** What a command line is refused with that cannot be used; nothing is started for it. */
export async function refusalOf(...args: string[]): Promise<unknown> {
  try {
    await program(new AbortController().signal, () => undefined).parseAsync(args, { from: 'user' });
  } catch (error) {
    return error instanceof CommanderError ? usage(error) : error;
  }
  throw new Error('It was not refused.');
}
