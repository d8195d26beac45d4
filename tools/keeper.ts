/**
 * Keeps one child process running: starts it in its own process group with its output in a log file, and starts it
 * again when it dies, after a pause that doubles from death to death (full jitter) and is forgotten once a child has
 * lived for a minute. After `deathsAllowed` early deaths in a row it gives up; at once when the first child ends because
 * of a setting that cannot be used, which is what exit code 2 says.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { endGroup } from './group.ts';
import { pause } from './until.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const SETTLED_MS = 60_000;
const UNUSABLE = exitCode(2);

export interface Kept {
  /** How people know it: "The edge". */
  name: string;
  /** Arguments of Node. */
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Takes stdout and stderr; begun anew by the first start. */
  logFile: string;
  /** How long it may take to end after SIGTERM. */
  graceMs: number;
  /** Deaths in a row, each within a minute of its start, that are answered by another start. */
  deathsAllowed: () => number;
  started?: (pid: number) => void;
  /** Called once, when it will not be started again. `unusable`: its log says which setting must be mended. */
  gaveUp: (reason: string, unusable: boolean) => void;
  say: (text: string) => void;
}

export class Keeper {
  readonly #kept: Kept;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #pid: number | null = null;

  constructor(kept: Kept) {
    this.#kept = kept;
    closeSync(openSync(kept.logFile, 'w'));
    this.#done = this.#keep();
  }

  get name(): string {
    return this.#kept.name;
  }

  get logFile(): string {
    return this.#kept.logFile;
  }

  /** Ends the child and all it started. Another is not started. */
  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#pid !== null) await endGroup(this.#pid, this.#kept.graceMs);
    await this.#done;
  }

  /** Ends a child that no longer does its work; it counts as a death. */
  async kill(): Promise<void> {
    if (this.#pid !== null) await endGroup(this.#pid, 0);
  }

  async #keep(): Promise<void> {
    const { name, deathsAllowed, gaveUp, say } = this.#kept;
    for (let deaths = 1; !this.#stop.signal.aborted; deaths++) {
      const born = performance.now();
      const end = await this.#runOnce();
      if (this.#stop.signal.aborted) return;
      if (deaths === 1 && end === UNUSABLE) return gaveUp(`${name} cannot start.`, true);
      if (performance.now() - born > SETTLED_MS) deaths = 1;
      if (deaths > deathsAllowed()) return gaveUp(`${name} ended unexpectedly (${end}).`, false);
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (deaths - 1));
      const ms = Math.round(longest * (0.5 + Math.random() / 2));
      say(`${name} ended unexpectedly (${end}); starting it again in ${(ms / 1000).toFixed(1)} s.`);
      try {
        await pause(ms, this.#stop.signal);
      } catch {
        return;
      }
    }
  }

  async #runOnce(): Promise<string> {
    const { args, cwd, env, logFile, started } = this.#kept;
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    const ended = endOf(child);
    if (child.pid === undefined) return ended;
    this.#pid = child.pid;
    started?.(child.pid);
    const end = await ended;
    await endGroup(child.pid, 0);
    this.#pid = null;
    return end;
  }
}

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? exitCode(code)));
  });

function exitCode(code: number | null): string {
  return `exit code ${code}`;
}
