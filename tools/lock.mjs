/**
 * A lock is a file that names its holder: `{ pid, born, token, ...facts }`. It appears by link(2), which refuses when
 * the name is taken, so it is there whole or not at all. A holder is dead when its process is gone, or when the process
 * of that number was born later than the lock says (numbers are used again, above all after a reboot). A dead holder's
 * lock is replaced by rename, and only by whoever holds the lock on replacing that very one (`<path>~<token>`), so
 * that two who find the same dead holder cannot both win.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export class LockHeld extends Error {
  constructor(path, holder) {
    super(`${path} is held by process ${holder.pid}`);
    this.name = 'LockHeld';
    this.holder = holder;
  }
}

/** Takes the lock, or throws `LockHeld`. `facts` are for others to read; `predecessor` is the dead holder, if any. */
export function acquire(path, facts = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const self = { ...facts, pid: process.pid, born: bornAt(process.pid), token: randomUUID().slice(0, 8) };
  const draft = `${path}.${self.token}`;
  writeFileSync(draft, JSON.stringify(self));
  try {
    return handle(path, self, take(path, draft));
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Who holds the lock, alive; `null` if nobody does. */
export function holderOf(path) {
  const holder = read(path);
  return holder !== null && isAlive(holder) ? holder : null;
}

/** Whether this process runs. One that has ended but was not collected by its parent does not. */
export const isRunning = (pid) => bornAt(pid) !== null;

function take(path, draft) {
  for (;;) {
    try {
      linkSync(draft, path);
      return null;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = read(path);
    if (holder === null) continue;
    if (isAlive(holder)) throw new LockHeld(path, holder);
    const claim = acquire(`${path}~${holder.token}`);
    try {
      if (read(path)?.token !== holder.token) continue;
      renameSync(draft, path);
      return holder;
    } finally {
      claim.release();
    }
  }
}

function handle(path, self, predecessor) {
  const mine = () => read(path)?.token === self.token;
  return {
    predecessor,
    note(facts) {
      if (!mine()) return;
      Object.assign(self, facts);
      const draft = `${path}.${self.token}`;
      writeFileSync(draft, JSON.stringify(self));
      renameSync(draft, path);
    },
    release() {
      if (mine()) rmSync(path, { force: true });
    },
  };
}

/** A file that a crash of the machine left empty belongs to nobody alive. */
function read(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { pid, born, token, ...facts } = JSON.parse(text);
    if (Number.isInteger(pid) && pid > 0 && typeof token === 'string') return { ...facts, pid, born, token };
  } catch {}
  return { pid: 0, born: null, token: 'unreadable' };
}

function isAlive(holder) {
  if (holder.pid === 0) return false;
  const born = bornAt(holder.pid);
  return born !== null && (born === holder.born || born === 'unknown' || holder.born === 'unknown');
}

/** proc(5): field 22 of stat is the start time in ticks since boot, field 3 the state. */
function bornAt(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return 'unknown';
  }
}
