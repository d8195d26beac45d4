/**
 * Runs a program and measures all of it: wall time, CPU seconds of the whole process tree (the shell's `times`, which
 * counts every descendant that was waited for; it outlives a SIGTERM to the group), and the peak of the resident memory of its process group, sampled.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export interface Measured {
  wall_seconds: number;
  cpu_seconds: number;
  peak_memory_mb: number;
}

const SAMPLE_MS = 100;
const PAGE_BYTES = 4096;
const TIMED = 'trap : TERM; "$@"; code=$?; times >&3; exit $code';

/** `whileRunning` may talk to the process; the measurement ends when it has exited. Throws if it fails. */
export async function measure(
  program: string[],
  env: Record<string, string> = {},
  whileRunning: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<Measured> {
  const begun = performance.now();
  const child = spawn('bash', ['-c', TIMED, 'bash', ...program], {
    stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const exited = once(child, 'exit');
  const times = child.stdio[3];
  if (!times || !('readable' in times) || child.pid === undefined) throw new Error('could not start bash');
  const report = text(times);
  let peak = 0;
  const group = child.pid;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentBytes(group));
  }, SAMPLE_MS);
  try {
    await whileRunning(child);
    const [code] = await exited;
    if (code !== 0) throw new Error(`${program[0]} ended with ${code}`);
  } finally {
    clearInterval(sampler);
    if (child.exitCode === null) process.kill(-group, 'SIGKILL');
  }
  return {
    wall_seconds: (performance.now() - begun) / 1000,
    cpu_seconds: secondsOf(await report),
    peak_memory_mb: Math.round(peak / 2 ** 20),
  };
}

/** bash prints user and system time of itself, then of its descendants: `0m0.004s 0m0.002s`. */
function secondsOf(times: string): number {
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 4) throw new Error(`unexpected answer of times: ${times}`);
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

function residentBytes(group: number): number {
  let pages = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) === group) pages += Number(fields[21]);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
        throw error;
    }
  }
  return pages * PAGE_BYTES;
}
