export interface Holder {
  pid: number;
  born: string | null;
  token: string;
  [fact: string]: unknown;
}
export interface Lock {
  readonly predecessor: Holder | null;
  note(facts: Record<string, unknown>): void;
  release(): void;
}
export class LockHeld extends Error {
  readonly holder: Holder;
}
export function acquire(path: string, facts?: Record<string, unknown>): Lock;
export function holderOf(path: string): Holder | null;
export function isRunning(pid: number): boolean;
