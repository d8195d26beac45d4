/** What the browser's tab says. */
import { useEffect } from 'react';

export function useTitle(text: string | null): void {
  useEffect(() => {
    document.title = text === null ? 'Reelwire' : `${text} · Reelwire`;
  }, [text]);
}
