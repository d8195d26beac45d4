/** Asks whoever listens at an address whether it is a Reelwire. */

import manifest from '../package.json' with { type: 'json' };
import { Health } from '../src/contract/api.ts';

/** The version of this checkout. */
export const VERSION = manifest.version;

/** `null`: nobody answers in time, or it is something else. */
export async function askHealth(origin: string, withinMs = 3000): Promise<Health | null> {
  try {
    const answer = await fetch(new URL('/health', origin), { signal: AbortSignal.timeout(withinMs) });
    const health = Health.safeParse(await answer.json());
    return health.success ? health.data : null;
  } catch {
    return null;
  }
}
