/** What else there is to know about a job. */
import type { ReactNode } from 'react';
import type { LiveJob } from '../state/live-job.ts';
import { dateAndTime, duration } from '../words.ts';
import './facts.css';

export function Facts({ job }: { job: LiveJob }) {
  const { id, created_at, completed_at, options, attempt = 0, result, metadata = {} } = job;
  const facts: [string, ReactNode][] = [
    ['Id', <code key="id">{id}</code>],
    ['Created', dateAndTime(created_at)],
    ...(completed_at ? ([['Ended', dateAndTime(completed_at)]] as const) : []),
    ...(result ? ([['Length', duration(result.duration_seconds)]] as const) : []),
    ['Quality', options?.quality ?? 'standard'],
    ['Attempts', String(attempt)],
    ...Object.entries(metadata),
  ].map(([name, value]) => [String(name), value]);
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">Details</h2>
      <dl className="facts small">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="soft">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
