/** Copies a text, which may have to be made first, and says that it has. */
import { useEffect, useState } from 'react';
import { sentenceOf } from '../state/reach.ts';
import { say } from '../state/say.ts';
import { Icon } from './icon.tsx';

const SHOWN_MS = 2000;

export function Copy({ what, text }: { what: string; text: () => Promise<string> }) {
  const [done, setDone] = useState<'copied' | 'failed' | null>(null);
  useEffect(() => {
    if (done === null) return;
    const timer = setTimeout(() => setDone(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(await text());
      setDone('copied');
      say(`${what} copied`);
    } catch (error) {
      setDone('failed');
      say(error instanceof DOMException ? 'The browser does not allow copying here' : sentenceOf(error));
    }
  };
  const label = done === 'copied' ? 'Copied' : done === 'failed' ? 'Not copied' : 'Copy';
  return (
    <button type="button" className="button button--small" onClick={copy}>
      <Icon name={done === 'copied' ? 'check' : 'copy'} />
      {label}
      <span className="unseen"> {what}</span>
    </button>
  );
}
