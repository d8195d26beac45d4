/** Waiting for a condition that can only be asked for: asks, pauses, asks again, until a deadline or an abort. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  /** How long to go on asking, in ms. */
  withinMs: number;
  /** The pause between two questions, in ms. Default 100. */
  everyMs?: number;
  signal?: AbortSignal;
}

/** The first answer that is not `undefined` or `false`; `undefined` when time is up. Throws the abort's reason. */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs, everyMs = 100, signal }: Patience,
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) return undefined;
    await pause(everyMs, signal);
  }
}

/** Sleeps; an abort ends it early by throwing the abort's reason. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
