/** The lock: one holder, whatever happens to it. Other holders are real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquire, holderOf, LockHeld } from '../../tools/lock.mjs';
import { tool } from './running.ts';

const children: ChildProcess[] = [];
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-test-'));
  path = join(folder, 'deep', 'a.lock');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that runs `body` with `acquire` and `path` in scope and says a line when it got so far. */
async function other(body: string): Promise<{ child: ChildProcess; said: string }> {
  const url = JSON.stringify(pathToFileURL(tool('lock.mjs')).href);
  const script = `const { acquire } = await import(${url}); const path = ${JSON.stringify(path)}; ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  if (child.stdout === null) throw new Error('no stdout');
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

const HOLD = `acquire(path, { address: 'here' }); console.log('held'); setInterval(() => {}, 1000);`;

it('is free after release, and carries facts meanwhile', () => {
  const lock = acquire(path, { address: 'a' });
  lock.note({ edge: 42 });
  expect(holderOf(path)).toMatchObject({ pid: process.pid, address: 'a', edge: 42 });
  lock.release();
  expect(existsSync(path)).toBe(false);
  expect(acquire(path).predecessor).toBeNull();
});

it('refuses a second holder, in this process and in another', async () => {
  const { child } = await other(HOLD);
  expect(() => acquire(path)).toThrow(LockHeld);
  expect(holderOf(path)).toMatchObject({ pid: child.pid, address: 'here' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  acquire(path);
  expect(() => acquire(path)).toThrow(LockHeld);
});

it('is taken over at once from a holder that was killed', async () => {
  const { child } = await other(HOLD);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(holderOf(path)).toBeNull();
  expect(acquire(path).predecessor).toMatchObject({ pid: child.pid, address: 'here' });
  expect(holderOf(path)).toMatchObject({ pid: process.pid });
});

it.skipIf(process.platform !== 'linux')('is taken over when its number belongs to a younger process', async () => {
  const { child } = await other(HOLD);
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...holder, born: 'an-earlier-boot:1' }));
  expect(acquire(path).predecessor).toMatchObject({ pid: child.pid });
});

it('is taken over when a crash of the machine left it empty', () => {
  acquire(path).release();
  writeFileSync(path, '');
  expect(acquire(path).predecessor).toMatchObject({ pid: 0 });
});

it('is taken over by one only when many find the same dead holder', async () => {
  const { child } = await other(HOLD);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // All wait for the same moment, so that they meet in the takeover.
  const at = Date.now() + 1500;
  const race = `while (Date.now() < ${at}); let said = 'won'; try { acquire(path); } catch (error) { said = error.name; } console.log(said); setInterval(() => {}, 1000);`;
  const racers = await Promise.all(Array.from({ length: 8 }, () => other(race)));
  expect(racers.map(({ said }) => said).sort()).toEqual([...Array(7).fill('LockHeld'), 'won']);
});

it('is not released by one that lost it', () => {
  const lock = acquire(path);
  rmSync(path);
  acquire(path);
  lock.release();
  expect(holderOf(path)).not.toBeNull();
});
