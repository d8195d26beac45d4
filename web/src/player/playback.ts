/**
 * A video element with an engine: loads what it is told, tries again while that fails, and loads again at its place when
 * the master has more rungs than were loaded, or the video is longer than what was. Over such a moment a still of the picture is shown.
 */
import { useEffect, useRef, useState } from 'react';
import { Engine } from './engine.ts';

const AGAIN_MS = 4000;
const LOOK_MS = 500;

/** How long a player may take to notice that a stream is complete: a little more than a segment. */
const NOTICE_MS = 6000;
const TOLERANCE_SECONDS = 0.5;

/** What there is: the rungs and which of them is shown, and from when to when, in seconds, one can play. */
export interface Tracks {
  readonly heights: readonly number[];
  readonly height: number | null;
  readonly start: number;
  readonly end: number;
}

/** The same value when nothing is new in it. */
const kept = (known: Tracks, now: Tracks): Tracks => (JSON.stringify(known) === JSON.stringify(now) ? known : now);

const NOTHING: Tracks = { heights: [], height: null, start: 0, end: 0 };

const tracksOf = (engine: Engine): Tracks => ({
  heights: engine.heights(),
  height: engine.height(),
  ...engine.range(),
});

export interface Playing {
  readonly engine: Engine | null;
  readonly tracks: Tracks;
  /** Loading has failed and is tried again. */
  readonly isStuck: boolean;
}

interface Wanted {
  readonly video: HTMLVideoElement | null;
  readonly still: HTMLCanvasElement | null;
  readonly url: string;
  /** How many rungs the master has, as far as that is known. */
  readonly rungs: number;
  /** How long the video is, in seconds; null while it is made. */
  readonly duration: number | null;
  /** Has to be done before anything can be loaded. */
  readonly prepare: (() => Promise<void>) | null;
}

export function usePlayback({ video, still, url, rungs, duration, prepare }: Wanted): Playing {
  const [engine, setEngine] = useState<Engine | null>(null);
  const [tracks, setTracks] = useState(NOTHING);
  const [isStuck, setStuck] = useState(false);
  const [tries, setTries] = useState(0);
  const isPrepared = useRef(prepare === null);
  const loaded = useRef<{ url: string; rungs: number } | null>(null);
  /** Where one was when what is loaded now began to be loaded. */
  const left = useRef<{ time: number; isPlaying: boolean } | null>(null);

  useEffect(() => {
    if (!video) return;
    const look = () => setTracks((known) => kept(known, tracksOf(made)));
    const made = new Engine(video, look);
    setEngine(made);
    // What can be played of a growing stream grows without a sign.
    const timer = setInterval(look, LOOK_MS);
    return () => {
      clearInterval(timer);
      loaded.current = null;
      left.current = null;
      setEngine(null);
      void made.destroy();
    };
  }, [video]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another try is a reason to load.
  useEffect(() => {
    if (!engine || !video) return;
    if (loaded.current?.url === url && loaded.current.rungs >= rungs) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    if (loaded.current) {
      left.current = { time: video.currentTime, isPlaying: !video.paused };
      if (still) freeze(video, still);
    }
    loaded.current = null;
    const load = async () => {
      if (!isPrepared.current) await prepare?.();
      isPrepared.current = true;
      if (isOver) return;
      await engine.load(url, left.current?.time ?? 0);
      if (isOver) return;
      loaded.current = { url, rungs: Math.max(rungs, engine.heights().length) };
      setTracks(tracksOf(engine));
      setStuck(false);
      const isPlaying = left.current?.isPlaying ?? false;
      left.current = null;
      still?.classList.remove('player__still--shown');
      if (isPlaying) await video.play().catch(() => undefined);
    };
    load().catch(() => {
      if (isOver) return;
      setStuck(true);
      timer = setTimeout(() => setTries((made) => made + 1), AGAIN_MS);
    });
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [engine, video, url, rungs, tries]);

  // What was cut off from the server while it loaded a growing stream may not have noticed that it has grown.
  const isShort = duration !== null && tracks.end > 0 && tracks.end < duration - TOLERANCE_SECONDS;
  useEffect(() => {
    if (!isShort) return;
    const timer = setTimeout(() => {
      if (loaded.current) loaded.current = { ...loaded.current, rungs: -1 };
      setTries((made) => made + 1);
    }, NOTICE_MS);
    return () => clearTimeout(timer);
  }, [isShort]);

  return { engine, tracks, isStuck };
}

function freeze(video: HTMLVideoElement, still: HTMLCanvasElement): void {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.getContext('2d')?.drawImage(video, 0, 0);
  still.classList.add('player__still--shown');
}
