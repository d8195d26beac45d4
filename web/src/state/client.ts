/**
 * The one client of the page. It never gives up: it tries again at the latest after 16 seconds, and at once when
 * somebody comes back to the page or the network does.
 */
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

function untilNextAttempt(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => {
      clearTimeout(timer);
      over.abort();
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, LONGEST_WAIT_MS));
    signal.addEventListener('abort', end, { signal: over.signal });
    for (const sign of ['focus', 'online']) window.addEventListener(sign, end, { signal: over.signal });
    if (signal.aborted) end();
  });
}
