/** What went not quite as it should, in plain words, each once. */
import type { VisibleEntry } from '../../../client/index.ts';
import type { WarningCode } from '../../../src/contract/entries.ts';
import { WARNINGS } from '../words.ts';

export function Warnings({ entries }: { entries: readonly VisibleEntry[] }) {
  const last = new Map<WarningCode, string>();
  for (const entry of entries) {
    if (entry.type === 'state' && entry.data.details.state === 'retried') last.clear();
    if (entry.type === 'warning') last.set(entry.data.details.code, entry.data.message);
  }
  if (last.size === 0) return null;
  return (
    <section aria-labelledby="warnings">
      <h2 id="warnings">{last.size === 1 ? 'One thing to know' : `${last.size} things to know`}</h2>
      <ul className="warnings">
        {[...last].map(([code, message]) => (
          <li key={code} className="notice">
            <p>{WARNINGS[code] ?? message}</p>
            {WARNINGS[code] && <p className="small soft">{message}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
