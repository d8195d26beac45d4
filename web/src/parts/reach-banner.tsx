/** Says that the page is cut off, and that it goes on by itself; nothing while all is well. */
import { jobs } from '../state/jobs.ts';
import { reach } from '../state/reach.ts';
import { useStore } from '../state/store.ts';
import './reach-banner.css';

export function ReachBanner() {
  const reached = useStore(reach);
  const connection = useStore(jobs.connection);
  const isOffline = reached === 'offline' || connection === 'offline';
  const isSilent = reached === 'silent' || connection === 'waiting';
  const text = isOffline
    ? 'You are offline. This page goes on by itself when the network is back.'
    : 'The server does not answer. This page tries again by itself; uploads and jobs lose nothing.';
  return (
    <div role="status" className="reach">
      {(isOffline || isSilent) && <p className="reach__text">{text}</p>}
    </div>
  );
}
