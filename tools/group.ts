/**
 * Process groups. Each child leads its own, so that whatever it starts (workerd, esbuild, ffmpeg) can be ended with it
 * and can be asked for afterwards. A group is gone when no process of it runs; one that has ended but waits to be
 * collected by a parent does not run, yet still answers kill(2), so Linux is asked through /proc.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.ts';

const KILL_TAKES_MS = 5000;

/** Asks the leader to end, gives the whole group `graceMs`, then ends what is left of it. */
export async function endGroup(leader: number, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    send(leader, 'SIGTERM');
    await until(() => !isRunningAlone(leader), { withinMs: graceMs, everyMs: 25 });
  }
  if (!groupRuns(leader)) return;
  send(-leader, 'SIGKILL');
  const gone = await until(() => !groupRuns(leader), { withinMs: KILL_TAKES_MS, everyMs: 25 });
  if (gone === undefined)
    throw new Error(`Process group ${leader} does not end; see: ps -o pid,stat,args -g ${leader}`);
}

export function groupRuns(leader: number): boolean {
  if (!send(-leader, 0)) return false;
  return process.platform !== 'linux' || membersOf(leader).length > 0;
}

/** Command lines of the group's running processes (Linux only; elsewhere none). */
export const commandsOf = (leader: number): string[] =>
  membersOf(leader).flatMap((pid) => readProc(pid, 'cmdline')?.replaceAll('\0', ' ') ?? []);

const isRunningAlone = (pid: number): boolean =>
  send(pid, 0) && (process.platform !== 'linux' || statOf(pid)?.runs === true);

function membersOf(leader: number): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat?.runs === true && stat.group === leader;
    });
}

/** proc(5): after the name in parentheses come the state, the parent and the process group. */
function statOf(pid: number): { runs: boolean; group: number } | null {
  const text = readProc(pid, 'stat');
  if (text === null) return null;
  const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { runs: state !== 'Z' && state !== 'X', group: Number(group) };
}

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}

/** Whether there was somebody to send to. */
function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch {
    return false;
  }
}
