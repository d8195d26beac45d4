/**
 * Runs the commands for real and sees what they leave behind. Each run has a mark and a temporary folder in its
 * environment. Everything it starts inherits the mark or, where an environment is made anew (ffmpeg), a folder below
 * the temporary one; so a process of it is found in /proc whatever group or parent it has (Linux).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../tools/paths.mjs';
import { until } from '../../tools/until.ts';

export interface Process {
  pid: number;
  command: string;
}

export class Running {
  readonly #mark = `REELWIRE_TEST_MARK=${randomUUID()}`;
  readonly #child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';

  /** Its TMPDIR. */
  readonly tmp: string;
  /** What an environment holds that names a folder of its own; null when its TMPDIR is that of everybody. */
  readonly #folders: string | null;

  /** `program` null: this Node. `input` `pipe`: what `type()` writes. */
  constructor(
    program: string | null,
    args: string[],
    env: Record<string, string>,
    input: 'ignore' | 'pipe' = 'ignore',
  ) {
    const [name, value] = this.#mark.split('=');
    this.tmp = env.TMPDIR ?? tmpdir();
    this.#folders = env.TMPDIR === undefined ? null : `=${join(env.TMPDIR, 'reelwire-')}`;
    this.#child = spawn(program ?? process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, INIT_CWD: ROOT, ...env, [String(name)]: value },
      stdio: [input, 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk;
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk;
    });
    this.exit = once(this.#child, 'close').then(([code, signal]) => code ?? signal);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** All processes of this run that still run. */
  processes(): Process[] {
    return pids().flatMap((pid) => {
      const environment = read(pid, 'environ')?.split('\0') ?? [];
      const command = read(pid, 'cmdline')?.replaceAll('\0', ' ').trim() ?? '';
      const ours = (entry: string) => entry === this.#mark || (this.#folders !== null && entry.includes(this.#folders));
      return environment.some(ours) && command !== '' ? [{ pid, command }] : [];
    });
  }

  find(part: string): Process | undefined {
    return this.processes().find(({ command }) => command.includes(part));
  }

  /** The events that `--json` has printed so far. */
  events(): { event: string; id: number | null; data: Record<string, unknown>; status?: string }[] {
    const lines = this.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Waits for a condition; when it does not come, says what the command said. */
  async until<T>(
    what: string,
    ask: () => T | undefined | false | Promise<T | undefined | false>,
    withinMs = 30_000,
  ): Promise<T> {
    const answer = await until(ask, { withinMs, everyMs: 150 });
    if (answer !== undefined) return answer;
    throw new Error(
      `not within ${withinMs} ms: ${what}\nstdout: ...${this.stdout.slice(-500)}\nstderr: ...${this.stderr.slice(-2000)}`,
    );
  }

  /** Temporary folders of ours in its TMPDIR. */
  folders(): string[] {
    return readdirSync(this.tmp).filter((name) => name.startsWith('reelwire-'));
  }

  /** Ends what a failed test has left. */
  sweep(): void {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {}
    }
  }
}

export const tool = (name: string): string => join(ROOT, 'tools', name);

/** Below the ports that the system gives to whoever asks for any: those may be taken by another test meanwhile. */
export async function freePort(): Promise<number> {
  const port = randomInt(10_000, 30_000);
  const server = createServer().listen(port, '127.0.0.1');
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  return isFree ? port : freePort();
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function read(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
