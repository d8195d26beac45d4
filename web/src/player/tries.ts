/** Counts tries, each a reason to load: the next comes at once, or later, after twice as long as the one before. */
import { useEffect, useMemo, useRef, useState } from 'react';

const FIRST_MS = 1000;
const MOST_MS = 16_000;

export interface Tries {
  now(): void;
  /** Nothing changes when one is to come already. */
  later(): void;
  /** The one that is to come is not needed any more. */
  drop(): void;
  /** All is well: the next wait is the shortest again. */
  reset(): void;
}

export function useTries(): [number, Tries] {
  const [count, setCount] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const wait = useRef(FIRST_MS);

  const tries = useMemo(() => {
    const drop = () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    };
    const now = () => {
      drop();
      setCount((made) => made + 1);
    };
    return {
      ...{ now, drop },
      later: () => {
        if (timer.current !== null) return;
        timer.current = setTimeout(now, wait.current);
        wait.current = Math.min(wait.current * 2, MOST_MS);
      },
      reset: () => {
        wait.current = FIRST_MS;
      },
    };
  }, []);
  useEffect(() => tries.drop, [tries]);

  return [count, tries];
}
