/** The real command, as people run it: with its output in pipes, or on a terminal (that of util-linux's `script`). */
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { usage } from '../../cli/failure.ts';
import { program } from '../../cli/program.ts';
import { ROOT } from '../../tools/paths.mjs';
import { findProgram } from '../e2e/leashed.ts';
import { Running } from '../tools/running.ts';

export const BIN = join(ROOT, 'cli/bin.mjs');

export const HAS_TERMINAL = process.platform === 'linux' && findProgram('script') !== null;

export interface Ended {
  code: number | string;
  out: string;
  err: string;
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
      ...env,
    };
  }

  start(...args: string[]): Running {
    return this.#add(new Running(null, [BIN, ...args], this.#env));
  }

  /** To its end. */
  async run(...args: string[]): Promise<Ended> {
    const running = this.start(...args);
    const code = await running.exit;
    return { code, out: running.stdout, err: running.stderr };
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
