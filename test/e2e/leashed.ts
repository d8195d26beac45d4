/**
 * Programs of this machine as children that end when this process does, even by SIGKILL. A shell becomes the program;
 * before that it leaves somebody behind who reads from a pipe of ours and ends the program when the pipe closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Writable } from 'node:stream';

const SCRIPT = '{ read -r _ <&3 || kill $$; } & exec "$@" 3<&-';

/** The path of an installed program; null when there is none. `folders`: where to look besides PATH. */
export function findProgram(name: string, folders: readonly string[] = []): string | null {
  const all = [...(process.env.PATH ?? '').split(delimiter), ...folders];
  return all.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export class Leashed {
  readonly process: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** stdout and stderr are pipes, and the environment is PATH and `env`. */
  constructor(program: string, args: readonly string[], env: Record<string, string> = {}) {
    this.process = spawn('/bin/sh', ['-c', SCRIPT, 'sh', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, ...env },
    });
    this.#exited = once(this.process, 'exit').then(() => {
      const [, , , leash] = this.process.stdio;
      if (leash instanceof Writable) leash.end('\n');
    });
  }

  /** Ends it and waits for that; at once when it has ended. */
  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    await this.#exited;
  }
}
