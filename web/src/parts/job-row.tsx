/** A job in the list: its picture or how far it is, its name, what it does now. */
import { memo } from 'react';
import { Link } from 'wouter';
import { useLiveJob } from '../state/jobs.ts';
import { isActive, type LiveJob } from '../state/live-job.ts';
import { doing, FAILURES, left, since } from '../words.ts';
import { Bar } from './bar.tsx';
import './job-row.css';

export const JobRow = memo(function JobRow({ id, now }: { id: string; now: number }) {
  const job = useLiveJob(id);
  if (!job) return null;
  return (
    <li className="row">
      <Link href={`/jobs/${id}`} className="row__link">
        <Tile job={job} />
        <span className="row__text">
          <span className="row__key">{job.key}</span>
          <span className="row__state small soft">{stateOf(job)}</span>
          {isActive(job) && <Bar label={`Progress of ${job.key}`} percent={job.progress} />}
        </span>
        <time className="row__time small soft" dateTime={job.created_at}>
          {since(job.created_at, now)}
        </time>
      </Link>
    </li>
  );
});

function stateOf(job: LiveJob): string {
  const what = doing(job.status, job.stage, job.progress);
  if (job.status === 'failed') return `${what}: ${(job.error && FAILURES[job.error.code]) ?? FAILURES.internal}`;
  if (!isActive(job)) return what;
  const eta = job.eta_seconds ? ` · ${left(job.eta_seconds)}` : '';
  return `${what} · ${job.progress} %${eta}`;
}

const SIGNS = { failed: '!', cancelled: '–', completed: '', pending: '…', processing: '' } as const;

function Tile({ job }: { job: LiveJob }) {
  const { poster } = job.playback;
  if (poster) return <img className="row__tile" src={poster} alt="" width="112" height="63" loading="lazy" />;
  const isRunning = job.status === 'processing' || (job.status === 'pending' && job.progress > 0);
  return (
    <span className={`row__tile row__tile--${job.status}`} aria-hidden="true">
      {isRunning ? job.progress : SIGNS[job.status]}
    </span>
  );
}
