/**
 * Asks again and again while somebody looks: every ten seconds, at once when they come back to the page or the network
 * does, and soon when there is a reason to. Nothing is asked twice at the same time.
 */
const PERIOD_MS = 10_000;
const SOON_MS = 300;

export interface Poll {
  /** Something is new: does not wait for the ten seconds. */
  ask(): void;
  stop(): void;
}

/** `question` has to deal with its own failures. */
export function poll(question: () => Promise<void>): Poll {
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  let isWanted = false;
  const plan = (ms: number) => {
    clearTimeout(timer);
    if (!over.signal.aborted) timer = setTimeout(turn, ms);
  };
  const turn = async () => {
    if (isAsking || over.signal.aborted || document.visibilityState === 'hidden') return;
    isAsking = true;
    isWanted = false;
    await question();
    isAsking = false;
    plan(isWanted ? SOON_MS : PERIOD_MS);
  };
  document.addEventListener('visibilitychange', turn, { signal: over.signal });
  for (const sign of ['focus', 'online']) window.addEventListener(sign, turn, { signal: over.signal });
  void turn();
  return {
    ask() {
      if (isWanted) return;
      isWanted = true;
      if (!isAsking) plan(SOON_MS);
    },
    stop() {
      over.abort();
      clearTimeout(timer);
    },
  };
}
