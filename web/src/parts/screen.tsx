/**
 * Where the picture is. As soon as something can be played the player is loaded, while the job still runs; before that
 * and where there is nothing to play, it says why.
 */
import { lazy, Suspense } from 'react';
import { JOB_ERRORS } from '../../../src/contract/meanings.ts';
import { isActive, type LiveJob } from '../state/live-job.ts';
import { session } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { letPlay } from '../state/tokens.ts';
import { doing } from '../words.ts';
import './screen.css';

const Player = lazy(() => import('../player/player.tsx'));

export function Screen({ job }: { job: LiveJob }) {
  const { hls, storyboard, poster } = job.playback;
  const isClosed = useStore(session).mode === 'keys';
  if (hls === null) return <Blank job={job} />;
  return (
    <Suspense fallback={<div className="screen" aria-busy="true" />}>
      <Player
        name={job.key}
        hls={hls}
        storyboard={storyboard}
        poster={poster}
        rungs={job.rungs}
        duration={job.result?.duration_seconds ?? null}
        prepare={isClosed ? () => letPlay(job.id) : undefined}
      />
    </Suspense>
  );
}

function Blank({ job }: { job: LiveJob }) {
  if (isActive(job)) {
    return (
      <div className="screen">
        <p className="screen__number" aria-hidden="true">
          {job.progress}
          <span>%</span>
        </p>
        <p className="soft">
          {doing(job.status, job.stage, job.progress)}. The picture appears here as soon as there is one, long before
          the job is done.
        </p>
      </div>
    );
  }
  if (job.status === 'failed') {
    return (
      <div className="screen screen--failed" role="alert">
        <p className="screen__message">{job.error_message}</p>
        <p>{job.error && withCode(JOB_ERRORS[job.error.code]?.advice ?? '')}</p>
      </div>
    );
  }
  return (
    <div className="screen">
      <p className="screen__message">This job was cancelled.</p>
      <p className="soft">What was finished is kept for some days. Retry goes on from it.</p>
    </div>
  );
}

/** What stands between backticks is code. */
const withCode = (text: string) =>
  text.split('`').map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part));
