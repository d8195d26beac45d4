/** The clock of a job's object, in the tests' hands: timers are made due by setting their row back. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect } from 'vitest';
import { env } from './edge.ts';

type Rows = { kind: string; due_at: number; data: string }[];

export const timers = (id: string): Promise<Rows> =>
  runInDurableObject(
    env.JOB.getByName(id),
    (_, { storage }) => storage.sql.exec('SELECT * FROM timers').toArray() as Rows,
  );

export const timer = async (id: string, kind: string) => (await timers(id)).find((row) => row.kind === kind);

/** Moves a timer so that it was due `ago` ms ago, and runs the alarm. */
export async function fire(id: string, kind: string, ago = 0): Promise<void> {
  await runInDurableObject(env.JOB.getByName(id), async (_, { storage }) => {
    storage.sql.exec('UPDATE timers SET due_at = ? WHERE kind = ?', Date.now() - ago, kind);
    await storage.setAlarm(Date.now() + 3_600_000);
  });
  expect(await runDurableObjectAlarm(env.JOB.getByName(id))).toBe(true);
}

export const secondsUntil = (row: { due_at: number } | undefined): number =>
  Math.round(((row?.due_at ?? 0) - Date.now()) / 1000);

/** Runs the alarm until the timer is gone, or is not due any more. */
export async function settle(id: string, kind: string): Promise<void> {
  for (let row = await timer(id, kind); row && row.due_at <= Date.now(); row = await timer(id, kind))
    await fire(id, kind);
}

/** Has bindings of the object replaced by others. */
export async function withBindings(id: string, bindings: Record<string, unknown>): Promise<void> {
  await runInDurableObject(env.JOB.getByName(id), (instance) => {
    Object.defineProperty(instance, 'env', { value: { ...env, ...bindings }, configurable: true });
  });
}
