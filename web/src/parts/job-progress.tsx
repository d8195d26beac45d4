/** The whole job in one line and one bar: what it does, how far, how long still, how fast. */
import { isActive, type LiveJob } from '../state/live-job.ts';
import { doing, left } from '../words.ts';
import { Bar } from './bar.tsx';

export function JobProgress({ job }: { job: LiveJob }) {
  const { status, stage, progress, eta_seconds } = job;
  if (!isActive(job)) return <p className="soft">{doing(status, stage, progress)}</p>;
  const speeds = job.encoding.flatMap(({ percent, speed }) => (percent < 100 && speed ? [speed] : []));
  const parts = [
    doing(status, stage, progress),
    `${progress} %`,
    ...(eta_seconds ? [left(eta_seconds)] : []),
    ...(speeds.length > 0 ? [`${Math.min(...speeds).toFixed(1)} × real time`] : []),
  ];
  return (
    <>
      <p className="soft">{parts.join(' · ')}</p>
      <Bar label="Progress of the job" percent={progress} />
    </>
  );
}
