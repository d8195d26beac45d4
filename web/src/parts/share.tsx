/**
 * The addresses of a video, to be copied: for players, and a frame for a page. Where access is closed they need a token,
 * which is made when one is copied.
 */
import { useRef } from 'react';
import type { LiveJob } from '../state/live-job.ts';
import { session } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { belowToken, SHARED_DAYS, sharedToken } from '../state/tokens.ts';
import { Copy } from './copy.tsx';
import './share.css';

const HIDDEN = '…';

export function Share({ job: { id, key, playback } }: { job: LiveJob }) {
  const isClosed = useStore(session).mode === 'keys';
  const token = useRef<Promise<string> | null>(null);
  if (playback.hls === null) return null;

  const tokenToShare = (): Promise<string> => {
    token.current ??= sharedToken(id).catch((error: unknown) => {
      token.current = null;
      throw error;
    });
    return token.current;
  };
  const stream = (path: string) => (given: string | null) =>
    location.origin + (given === null ? path : belowToken(path, given));
  const frame = (given: string | null) => frameOf(id, key, given);
  const shared: [string, (given: string | null) => string][] = [
    ['HLS', stream(playback.hls)],
    ...(playback.dash ? [['DASH', stream(playback.dash)] as [string, (given: string | null) => string]] : []),
    ['Embed', frame],
  ];
  return (
    <section aria-labelledby="share">
      <h2 id="share">Share</h2>
      <ul className="share">
        {shared.map(([name, text]) => (
          <li key={name} className="share__one">
            <span className="share__name">{name}</span>
            <code className="share__text">{text(isClosed ? HIDDEN : null)}</code>
            <Copy what={name} text={async () => text(isClosed ? await tokenToShare() : null)} />
          </li>
        ))}
      </ul>
      {isClosed && (
        <p className="small soft">
          What you copy holds a token: it opens this one video, to whoever has it, for {SHARED_DAYS} days.
        </p>
      )}
    </section>
  );
}

function frameOf(id: string, key: string, token: string | null): string {
  const address = `${location.origin}/watch/${id}${token === null ? '' : `#token=${token}`}`;
  const title = key.replace(/[<>"&]/g, '');
  return `<iframe src="${address}" title="${title}" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen style="border:0"></iframe>`;
}
