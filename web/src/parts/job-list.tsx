/** The list of jobs, and what is shown where there is none. */
import { startTransition, useEffect, useState } from 'react';
import { list } from '../state/list.ts';
import { reach } from '../state/reach.ts';
import { useStore } from '../state/store.ts';
import { uploads } from '../state/uploads.ts';
import { JobFilter } from './job-filter.tsx';
import { JobRow } from './job-row.tsx';
import './job-list.css';

const CLOCK_MS = 30_000;

/** Rows that are made at once; the rest follows a little later, so that nothing waits for all of them. */
const AT_ONCE = 20;

export function JobList() {
  const { ids, filter, hasMore, problem } = useStore(list.state);
  const now = useNow();
  useEffect(() => list.show(), []);
  const isFiltered = filter.status !== null || filter.q !== '';
  const uploading = useStore(uploads.all).map((upload) => upload.view.get().jobId);
  const shown = useGradually(ids?.filter((id) => !uploading.includes(id)) ?? null);
  return (
    <section className="jobs" aria-labelledby="videos">
      <div className="jobs__head">
        <h2 id="videos">Videos</h2>
        <JobFilter />
      </div>
      {problem && (
        <p role="alert" className="notice notice--danger">
          {problem}
        </p>
      )}
      {shown === null && !problem && <Waiting />}
      {ids?.length === 0 && (
        <div className="jobs__none">
          <p>{isFiltered ? 'No video is like that.' : 'There is no video yet.'}</p>
          <p className="soft">
            {isFiltered
              ? 'Choose another filter, or search for less.'
              : 'Drop one above. It can be watched here from its first byte.'}
          </p>
        </div>
      )}
      {shown && shown.length > 0 && (
        <ul className="jobs__list">
          {shown.map((id) => (
            <JobRow key={id} id={id} now={now} />
          ))}
        </ul>
      )}
      {hasMore && (
        <button type="button" className="button jobs__more" onClick={() => list.more()}>
          Show more
        </button>
      )}
    </section>
  );
}

function Waiting() {
  const reached = useStore(reach);
  const text = reached === 'fine' ? 'Reading the list …' : 'The list is read as soon as the server can be reached.';
  return <p className="soft jobs__none">{text}</p>;
}

/** A list that grows by some rows at a time. */
function useGradually(ids: readonly string[] | null): readonly string[] | null {
  const [count, setCount] = useState(AT_ONCE);
  const total = ids?.length ?? 0;
  useEffect(() => {
    if (count >= total) return;
    const timer = setTimeout(() => startTransition(() => setCount(count + AT_ONCE)), 0);
    return () => clearTimeout(timer);
  }, [count, total]);
  return ids && (total > count ? ids.slice(0, count) : ids);
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
