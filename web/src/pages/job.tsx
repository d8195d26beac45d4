/** One job, from its first byte to what it has become: how far it is, the picture as soon as there is one, and its log. */
import { useEffect, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { ApiError } from '../../../client/index.ts';
import { EventLog } from '../parts/event-log.tsx';
import { Facts } from '../parts/facts.tsx';
import { Heading } from '../parts/heading.tsx';
import { Icon } from '../parts/icon.tsx';
import { JobActions } from '../parts/job-actions.tsx';
import { JobProgress } from '../parts/job-progress.tsx';
import { QualityChart } from '../parts/quality-chart.tsx';
import { Renditions } from '../parts/renditions.tsx';
import { Screen } from '../parts/screen.tsx';
import { Share } from '../parts/share.tsx';
import { useTitle } from '../parts/title.ts';
import { UploadRow } from '../parts/upload-list.tsx';
import { Warnings } from '../parts/warnings.tsx';
import { Waterfall } from '../parts/waterfall.tsx';
import { client } from '../state/client.ts';
import { JobLog } from '../state/job-log.ts';
import { jobs, useLiveJob } from '../state/jobs.ts';
import { isActive, isWhole } from '../state/live-job.ts';
import { poll } from '../state/poll.ts';
import { reaching } from '../state/reach.ts';
import { useStore } from '../state/store.ts';
import { useUploadOf } from '../state/uploads.ts';
import { STATUS_NAMES } from '../words.ts';
import { NotFound } from './not-found.tsx';
import './job.css';

/** No job's id, or no job. */
const GONE = [400, 404];

export default function JobPage({ id }: { id: string }) {
  const job = useLiveJob(id);
  const log = useMemo(() => new JobLog(id), [id]);
  const entries = useStore(log.entries);
  const isGone = useJob(id, log);
  const upload = useUploadOf(id);
  const title = job && (isActive(job) ? `${job.progress} % · ${job.key}` : `${STATUS_NAMES[job.status]} · ${job.key}`);
  useTitle(isGone ? 'Not found' : (title ?? null));
  if (isGone) return <NotFound what="There is no such video" />;
  if (!job || !isWhole(job)) return <main id="main" className="job" aria-busy="true" />;
  return (
    <main id="main" className="job">
      <header className="job__head">
        <Link href="/" className="job__back small soft">
          <Icon name="arrow" />
          All videos
        </Link>
        <div className="job__line">
          <Heading className="job__title">{job.key}</Heading>
          <JobActions job={job} />
        </div>
        <JobProgress job={job} />
      </header>
      {upload && (
        <ul>
          <UploadRow upload={upload} />
        </ul>
      )}
      <Screen job={job} />
      <Warnings entries={entries} />
      <Renditions job={job} />
      <div className="job__pair">
        <Waterfall entries={entries} isActive={isActive(job)} />
        <QualityChart renditions={job.renditions} />
      </div>
      <Share job={job} />
      <EventLog entries={entries} />
      <Facts job={job} />
    </main>
  );
}

/** Keeps the job and its log up to date; true when there is no such job. */
function useJob(id: string, log: JobLog): boolean {
  const [isGone, setGone] = useState(false);
  useEffect(() => {
    const forgetLog = log.follow();
    const { ask, stop } = poll(async () => {
      try {
        const answer = await reaching(client.jobs.get(id));
        if (!answer) return;
        const isBehind = answer.last_event_id > (log.entries.get().at(-1)?.seq ?? 0);
        jobs.answered(answer);
        jobs.want(log, [id]);
        if (isBehind) await log.ask();
      } catch (error) {
        if (!(error instanceof ApiError) || !GONE.includes(error.status)) return;
        setGone(true);
        stop();
      }
    });
    // What is measured the server says only to those who ask.
    const forgetNews = jobs.listen(id, ({ event }) => {
      if (event !== 'status' && event !== 'progress') ask();
    });
    return () => {
      stop();
      forgetNews();
      forgetLog();
      jobs.want(log, []);
    };
  }, [id, log]);
  return isGone;
}
