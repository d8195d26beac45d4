/** The player: the picture, and the controls over it, which go away while it plays and nobody touches anything. */
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../parts/icon.tsx';
import { Controls } from './controls.tsx';
import { onKey } from './keys.ts';
import { useMedia } from './media.ts';
import { usePlayback } from './playback.ts';
import { SeekBar } from './seek-bar.tsx';
import './player.css';

const IDLE_MS = 2500;

interface Props {
  /** What is played, for people. */
  name: string;
  hls: string;
  storyboard: string | null;
  poster: string | null;
  /** How many rungs the master has, as last told; 0 when that is not known. */
  rungs: number;
  /** How long it is, in seconds; null while it is made. */
  duration: number | null;
  prepare?: (() => Promise<void>) | undefined;
}

export default function Player({ name, hls, storyboard, poster, rungs, duration, prepare }: Props) {
  const frame = useRef<HTMLElement>(null);
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [still, setStill] = useState<HTMLCanvasElement | null>(null);
  const { engine, tracks, isStuck, isPlaying, toggle } = usePlayback({
    ...{ video, still, url: hls, rungs, duration },
    prepare: prepare ?? null,
  });
  const media = useMedia(video);
  const [chosen, setChosen] = useState<number | null>(null);
  const [isIdle, wake] = useIdle();
  const { start, end } = tracks;

  const seek = (time: number) => {
    if (video) video.currentTime = Math.min(Math.max(time, start), end);
  };
  const acts = {
    toggle,
    skip: (seconds: number) => seek((video?.currentTime ?? 0) + seconds),
    jump: (share: number) => seek(start + (end - start) * share),
    louder: (by: number) => setVolume((video?.volume ?? 0) + by),
    mute: () => {
      if (video) video.muted = !video.muted;
    },
    full: () => void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen()),
  };
  const setVolume = (volume: number) => {
    if (!video) return;
    video.volume = Math.min(1, Math.max(0, volume));
    video.muted = false;
  };
  const choose = (height: number | null) => {
    setChosen(height);
    engine?.choose(height);
  };
  const isQuiet = isIdle && isPlaying;
  return (
    <section
      ref={frame}
      className={isQuiet ? 'player player--quiet' : 'player'}
      aria-label={`Player: ${name}`}
      onPointerMove={wake}
      onKeyDown={(event) => {
        wake();
        onKey(event, acts);
      }}
    >
      <video
        ref={setVideo}
        className="player__video"
        {...(poster !== null && { poster })}
        playsInline
        onClick={toggle}
      />
      <canvas ref={setStill} className="player__still" />
      {!isPlaying && (
        <button type="button" className="player__big" tabIndex={-1} aria-hidden="true" onClick={toggle}>
          <Icon name="play" />
        </button>
      )}
      <p className="player__note" role="status">
        {isStuck ? 'The video cannot be loaded at the moment. It is tried again.' : ''}
      </p>
      <div className="player__controls">
        <SeekBar engine={engine} storyboard={storyboard} time={media.time} start={start} end={end} onSeek={seek} />
        <Controls
          media={media}
          isPlaying={isPlaying}
          tracks={tracks}
          chosen={chosen}
          onToggle={toggle}
          onMute={acts.mute}
          onVolume={setVolume}
          onChoose={choose}
          onFull={acts.full}
        />
      </div>
    </section>
  );
}

/** Whether nothing was touched for a while, and what to call when something is. */
function useIdle(): [boolean, () => void] {
  const [isIdle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const wake = () => {
    setIdle(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setIdle(true), IDLE_MS);
  };
  return [isIdle, wake];
}
