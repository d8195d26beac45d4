/** What a process and all its descendants use, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const TICK_MICROSECONDS = 10_000;

/** CPU time in microseconds, user and system. */
export function cpuMicroseconds(root: number): number {
  return sum(root, (pid) => {
    const fields = statFields(pid);
    return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
  });
}

/** Memory in KB; pages that several processes share count in parts (PSS). */
export function memoryKb(root: number): number {
  return sum(root, (pid) => {
    const [, pss] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
    if (pss === undefined) throw new Error(`/proc/${pid}/smaps_rollup tells no PSS`);
    return Number(pss);
  });
}

function sum(root: number, measure: (pid: number) => number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = unlessGone(() => Number(statFields(Number(name))[1]));
    if (parent !== null) parents.set(Number(name), parent);
  }
  let total = 0;
  for (const pid of parents.keys()) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && ancestor !== root) ancestor = parents.get(ancestor);
    if (ancestor === root) total += unlessGone(() => measure(pid)) ?? 0;
  }
  return total;
}

/** What follows the name in /proc/PID/stat: state, parent, ... */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function unlessGone<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}
