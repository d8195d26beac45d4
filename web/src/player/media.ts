/** What a video element does, as a value that follows its events. */
import { useEffect, useState } from 'react';

export interface Media {
  readonly time: number;
  readonly isMuted: boolean;
  readonly volume: number;
}

const EVENTS = ['timeupdate', 'seeking', 'seeked', 'ended', 'volumechange', 'loadeddata', 'emptied'];

const NOTHING: Media = { time: 0, isMuted: false, volume: 1 };

export function useMedia(video: HTMLVideoElement | null): Media {
  const [media, setMedia] = useState(NOTHING);
  useEffect(() => {
    if (!video) return;
    const over = new AbortController();
    const look = () => {
      setMedia({
        time: video.currentTime,
        isMuted: video.muted || video.volume === 0,
        volume: video.volume,
      });
    };
    for (const event of EVENTS) video.addEventListener(event, look, { signal: over.signal });
    look();
    return () => over.abort();
  }, [video]);
  return media;
}
