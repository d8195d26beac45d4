/** The job's log, newest last, as the server keeps it. Progress, which is most of it, is shown when asked for. */
import { useState } from 'react';
import type { VisibleEntry } from '../../../client/index.ts';
import { timeOfDay } from '../words.ts';
import './event-log.css';

/** The latest of a long log; the rest when asked for. */
const SHOWN = 200;

export function EventLog({ entries }: { entries: readonly VisibleEntry[] }) {
  const [isOpen, setOpen] = useState(false);
  const [withProgress, setWithProgress] = useState(false);
  const [all, setAll] = useState(false);
  const wanted = isOpen ? entries.filter(({ type }) => withProgress || type !== 'progress') : [];
  const shown = all ? wanted : wanted.slice(-SHOWN);
  return (
    <section aria-labelledby="events">
      <h2 id="events">
        <button type="button" className="events__toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Event log
          <span className="small soft">{entries.length}</span>
        </button>
      </h2>
      {isOpen && (
        <>
          <label className="events__option small">
            <input type="checkbox" checked={withProgress} onChange={() => setWithProgress(!withProgress)} />
            Show progress too
          </label>
          {shown.length < wanted.length && (
            <button type="button" className="button button--small" onClick={() => setAll(true)}>
              Show {wanted.length - shown.length} earlier
            </button>
          )}
          <ol className="events small">
            {shown.map(({ seq, type, at, data }) => (
              <li key={seq} className="events__one">
                <time className="soft" dateTime={data.timestamp}>
                  {timeOfDay(at)}
                </time>
                <span className="events__type">{type}</span>
                <span>{data.message}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}
