/** Asks whoever listens at an address whether it is a Reelwire. */

import manifest from '../package.json' with { type: 'json' };
import { Health } from '../src/contract/api.ts';
import { Problem } from '../src/contract/errors.ts';

/** The version of this checkout. */
export const VERSION = manifest.version;

/** `null`: nobody answers in time, or it is something else. */
export async function askHealth(origin: string, withinMs = 3000): Promise<Health | null> {
  return Health.safeParse(await ask(origin, withinMs)).data ?? null;
}

/** What a Reelwire says that lets nobody in; `null` if there is none that says so. */
export async function whyClosed(origin: string): Promise<string | null> {
  const { data } = Problem.safeParse(await ask(origin, 3000));
  return data?.code === 'access_closed' ? data.detail : null;
}

async function ask(origin: string, withinMs: number): Promise<unknown> {
  try {
    const answer = await fetch(new URL('/health', origin), { signal: AbortSignal.timeout(withinMs) });
    return await answer.json();
  } catch {
    return null;
  }
}
