/** How long each stage took, as a waterfall: a row each, from when it began to when it ended. */
import { useEffect, useState } from 'react';
import type { VisibleEntry } from '../../../client/index.ts';
import { timelineOf } from '../state/timeline.ts';
import { duration, STAGE_NAMES } from '../words.ts';
import './waterfall.css';

const TICK_MS = 1000;

/** What is too short to be seen is drawn so wide all the same, in percent. */
const NARROWEST = 0.8;

export function Waterfall({ entries, isActive }: { entries: readonly VisibleEntry[]; isActive: boolean }) {
  const now = useTick(isActive);
  const spans = timelineOf(entries);
  const first = spans[0]?.from ?? 0;
  const end = Math.max(...spans.map(({ to }) => to ?? now), first + 1);
  if (spans.length === 0) return null;
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      <ol className="waterfall">
        {spans.map(({ name, from, to }) => {
          const until = Math.max(to ?? now, from);
          const x = (100 * (from - first)) / (end - first);
          const width = Math.max((100 * (until - from)) / (end - first), NARROWEST);
          return (
            <li key={`${name} ${from}`} className="waterfall__row">
              <span>{STAGE_NAMES[name]}</span>
              <svg width="100%" height="10" aria-hidden="true">
                <rect width="100%" height="10" rx="3" fill="var(--line)" />
                <rect
                  x={`${Math.min(x, 100 - NARROWEST)}%`}
                  width={`${width}%`}
                  height="10"
                  rx="3"
                  fill={name === 'waiting' ? 'var(--line-strong)' : 'var(--accent)'}
                />
              </svg>
              <span className="small soft">{duration((until - from) / 1000)}</span>
            </li>
          );
        })}
      </ol>
      <p className="small soft">{duration((end - first) / 1000)} in all</p>
    </section>
  );
}

/** The time, every second while something goes on. */
function useTick(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isTicking) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}
