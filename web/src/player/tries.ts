/** Counts tries, each a reason to load: the next comes at once, or later, the later the more there were in a row. */
import { useEffect, useMemo, useRef, useState } from 'react';
import { backoffMs } from '../../../client/delay.ts';

/** From the third in a row on, the waits grow no more: somebody looks at a picture that stands still. */
const LONGEST_STEP = 3;

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
  const inRow = useRef(0);

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
        inRow.current = Math.min(inRow.current + 1, LONGEST_STEP);
        timer.current = setTimeout(now, backoffMs(inRow.current, 0));
      },
      reset: () => {
        inRow.current = 0;
      },
    };
  }, []);
  useEffect(() => tries.drop, [tries]);

  return [count, tries];
}
