/** What a method of an object answers over RPC, where errors lose their class. */
import type { ProblemCode } from '../contract/errors.ts';
import { Refusal } from './job/draft.ts';

/** The value, or the code to refuse with and a sentence. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; code: ProblemCode; detail: string };

/** What `act` returns, or the refusal that it throws. Other errors are ours, and thrown on. */
export function answer<T>(act: () => T): Outcome<T> {
  try {
    return { ok: true, value: act() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, detail: error.message };
    throw error;
  }
}
