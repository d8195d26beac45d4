/**
 * Whether it is to play, which people may say at any time. An element forgets it whenever it loads something; so it is
 * kept here meanwhile and told to the element afterwards. What the element does by itself, as at the end, counts too.
 */
import { useEffect, useMemo, useRef, useState } from 'react';

export interface Wish {
  toggle(): void;
  /** Something else is being loaded: what the element does now is nobody's wish. */
  hold(): void;
  /** It is loaded. */
  fulfil(): void;
}

export function useWish(video: HTMLVideoElement | null): [boolean, Wish] {
  const [isWished, setWished] = useState(false);
  const wished = useRef(false);
  const isHeld = useRef(true);

  const wish = useMemo(() => {
    const set = (isPlaying: boolean) => {
      wished.current = isPlaying;
      setWished(isPlaying);
    };
    const follow = () => {
      if (video && !isHeld.current) set(!video.paused);
    };
    const tell = () => {
      if (wished.current) video?.play().catch(follow);
      else video?.pause();
    };
    return {
      follow,
      toggle: () => {
        set(!wished.current);
        tell();
      },
      hold: () => {
        isHeld.current = true;
      },
      fulfil: () => {
        isHeld.current = false;
        tell();
      },
    };
  }, [video]);

  useEffect(() => {
    const over = new AbortController();
    for (const event of ['play', 'pause']) video?.addEventListener(event, wish.follow, { signal: over.signal });
    return () => over.abort();
  }, [video, wish]);

  return [isWished, wish];
}
