/** The player alone, for a frame in another page. The job is followed until it is done, so it may be opened before. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from '../../client/index.ts';
import { useTitle } from './parts/title.ts';
import { client, playToken } from './state/client.ts';
import { jobs, useLiveJob } from './state/jobs.ts';
import { isActive, type LiveJob } from './state/live-job.ts';
import { poll } from './state/poll.ts';
import { reaching } from './state/reach.ts';
import { belowToken } from './state/tokens.ts';
import { doing } from './words.ts';
import './style/tokens.css';
import './style/base.css';
import './watch.css';

const Player = lazy(() => import('./player/player.tsx'));

const pathOf = (path: string | null): string | null =>
  path !== null && playToken !== null ? belowToken(path, playToken) : path;

function WatchPage({ id }: { id: string }) {
  const job = useLiveJob(id);
  const problem = useJob(id);
  useTitle(job?.key ?? null);
  const hls = pathOf(job?.playback.hls ?? null);
  if (!job || hls === null) return <p className="alone__note">{problem ?? (job ? stateOf(job) : '')}</p>;
  const { storyboard, poster } = job.playback;
  return (
    <Suspense fallback={null}>
      <Player
        name={job.key}
        hls={hls}
        storyboard={pathOf(storyboard)}
        poster={pathOf(poster)}
        rungs={job.rungs}
        duration={job.result?.duration_seconds ?? null}
      />
    </Suspense>
  );
}

const stateOf = ({ status, stage, progress, ...job }: LiveJob): string =>
  isActive({ status })
    ? `${doing(status, stage, progress)}, ${progress} %. It begins here as soon as it can be played.`
    : `This video is not there: ${job.error_message ?? 'it was cancelled.'}`;

/** Keeps the job up to date; what the server says instead of it. */
function useJob(id: string): string | null {
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const who = {};
    const { stop } = poll(async () => {
      try {
        const answer = await reaching(client.jobs.get(id));
        if (!answer) return;
        jobs.answered(answer);
        jobs.want(who, [id]);
      } catch (error) {
        if (!(error instanceof ApiError)) return;
        setProblem(
          error.status === 401
            ? 'This video is not open to everybody, or its token has expired.'
            : 'There is no such video.',
        );
        stop();
      }
    });
    return () => {
      stop();
      jobs.want(who, []);
    };
  }, [id]);
  return problem;
}

const root = document.getElementById('app');
const [, , id = ''] = location.pathname.split('/');
if (root) {
  createRoot(root).render(
    <main className="alone">
      <h1 className="unseen">Player</h1>
      <WatchPage id={id.toLowerCase()} />
    </main>,
  );
}
