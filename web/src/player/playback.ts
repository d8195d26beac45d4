/**
 * A video element with an engine: loads what it is told, tries again while that fails, and loads again at its place when
 * the master has more rungs than were loaded, the video is longer than what was, or it does not grow any more. Over such
 * a moment a still of the picture is shown, and whether it is to play is kept.
 */
import { useEffect, useRef, useState } from 'react';
import { Engine } from './engine.ts';
import { useTries } from './tries.ts';
import { useWish } from './wish.ts';

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
  /** It plays, or will as soon as it can. */
  readonly isPlaying: boolean;
  /** Play or pause, whichever is not the case. */
  toggle(): void;
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
  const isPrepared = useRef(prepare === null);
  const loaded = useRef<{ url: string; rungs: number; count: number } | null>(null);
  /** Where one was when what is loaded now began to be loaded. */
  const left = useRef<number | null>(null);
  const [isPlaying, wish] = useWish(video);
  const [count, tries] = useTries();
  const reached = useRef(0);

  useEffect(() => {
    if (!video) return;
    const look = () => setTracks((known) => kept(known, tracksOf(made)));
    const made = new Engine(video, look, () => {
      if (loaded.current) tries.later();
    });
    setEngine(made);
    return () => {
      tries.drop();
      loaded.current = null;
      left.current = null;
      setEngine(null);
      void made.destroy();
    };
  }, [video, tries]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another try is a reason to load.
  useEffect(() => {
    if (!engine || !video) return;
    const known = loaded.current;
    if (known?.url === url && known.rungs >= rungs && known.count === count) return;
    let isOver = false;
    tries.drop();
    const leave = () => {
      wish.hold();
      if (loaded.current) {
        left.current = video.currentTime;
        if (still) freeze(video, still);
      }
      loaded.current = null;
    };
    const load = async () => {
      // What is there goes on being played until the server answers.
      if (loaded.current) await ask(url);
      if (isOver) return;
      leave();
      if (!isPrepared.current) await prepare?.();
      isPrepared.current = true;
      if (isOver) return;
      await engine.load(url, left.current ?? 0);
      if (isOver) return;
      loaded.current = { url, rungs: Math.max(rungs, engine.heights().length), count };
      setTracks(tracksOf(engine));
      setStuck(false);
      left.current = null;
      still?.classList.remove('player__still--shown');
      wish.fulfil();
    };
    load().catch(() => {
      if (isOver) return;
      setStuck(loaded.current === null);
      tries.later();
    });
    return () => {
      isOver = true;
    };
  }, [engine, video, url, rungs, count]);

  // What was cut off from the server while it loaded a growing stream may not have noticed that it has grown.
  const isShort = duration !== null && tracks.end > 0 && tracks.end < duration - TOLERANCE_SECONDS;
  useEffect(() => {
    if (!isShort) return;
    const timer = setTimeout(tries.now, NOTICE_MS);
    return () => clearTimeout(timer);
  }, [isShort, tries]);

  useEffect(() => {
    if (tracks.end <= reached.current) return;
    reached.current = tracks.end;
    tries.reset();
  }, [tracks.end, tries]);

  return { engine, tracks, isStuck, isPlaying, toggle: wish.toggle };
}

async function ask(url: string): Promise<void> {
  const { ok, status } = await fetch(url, { cache: 'no-store' });
  if (!ok) throw new Error(`The stream was answered with ${status}`);
}

function freeze(video: HTMLVideoElement, still: HTMLCanvasElement): void {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.getContext('2d')?.drawImage(video, 0, 0);
  still.classList.add('player__still--shown');
}
