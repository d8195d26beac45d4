/**
 * The one client of the page. It never gives up: it tries again at the latest after 16 seconds, and at once when
 * somebody comes back to the page or the network does.
 */
import { LinkedAbort } from '../../../client/abort.ts';
import { delay } from '../../../client/delay.ts';
import { Reelwire } from '../../../client/index.ts';

const LONGEST_WAIT_MS = 16_000;

/** A page in a frame has a token behind the `#` of its address, where no server and no log sees it. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');

export const playToken = location.pathname.startsWith('/watch/') ? token : null;

export const client = new Reelwire({
  url: location.origin,
  maxAttempts: Number.POSITIVE_INFINITY,
  delay: untilNextAttempt,
  ...(playToken !== null && { getToken: () => playToken }),
});

async function untilNextAttempt(ms: number, signal: AbortSignal): Promise<void> {
  const waiting = new LinkedAbort(signal);
  for (const sign of ['focus', 'online']) {
    window.addEventListener(sign, () => waiting.abort(), { signal: waiting.signal });
  }
  await delay(Math.min(ms, LONGEST_WAIT_MS), waiting.signal);
  waiting.end();
}
