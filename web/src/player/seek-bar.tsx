/** Where one is in the video, and the way elsewhere: by pointer with a picture of what is there, by keys as well. */
import { type PointerEvent, useEffect, useState } from 'react';
import { clock } from '../words.ts';
import type { Engine, Thumbnail } from './engine.ts';
import './seek-bar.css';

interface Props {
  engine: Engine | null;
  storyboard: string | null;
  time: number;
  start: number;
  end: number;
  onSeek: (time: number) => void;
}

export function SeekBar({ engine, storyboard, time, start, end, onSeek }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const [isFocused, setFocused] = useState(false);
  const previewed = pointed ?? (isFocused ? time : null);
  const thumbnail = useThumbnail(engine, storyboard, previewed);
  const length = Math.max(end - start, 0.001);
  const share = (at: number) => Math.min(1, Math.max(0, (at - start) / length));
  const point = ({ currentTarget, clientX }: PointerEvent) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    setPointed(start + length * Math.min(1, Math.max(0, (clientX - left) / width)));
  };
  return (
    <div className="seek" onPointerMove={point} onPointerLeave={() => setPointed(null)}>
      {previewed !== null && (
        <div className="seek__preview" style={{ left: `${100 * share(previewed)}%` }} aria-hidden="true">
          {thumbnail && <Picture {...thumbnail} />}
          <span>{clock(previewed)}</span>
        </div>
      )}
      <div className="seek__track">
        <div className="seek__done" style={{ transform: `scaleX(${share(time)})` }} />
      </div>
      <input
        type="range"
        className="seek__input"
        aria-label="Seek"
        aria-valuetext={`${clock(time)} of ${clock(end)}`}
        min={start}
        max={end}
        step="any"
        value={Math.min(Math.max(time, start), end)}
        onChange={({ target }) => onSeek(Number(target.value))}
        onFocus={({ target }) => setFocused(target.matches(':focus-visible'))}
        onBlur={() => setFocused(false)}
      />
    </div>
  );
}

function Picture({ sheet, x, y, width, height }: Thumbnail) {
  return (
    <span
      className="seek__picture"
      data-testid="thumbnail"
      style={{ width, height, backgroundImage: `url("${sheet}")`, backgroundPosition: `-${x}px -${y}px` }}
    />
  );
}

/** One thumbnail stands for about a second: it is looked up no more often. */
function useThumbnail(engine: Engine | null, storyboard: string | null, time: number | null): Thumbnail | null {
  const [thumbnail, setThumbnail] = useState<Thumbnail | null>(null);
  const second = time === null ? null : Math.floor(time);
  useEffect(() => {
    if (!engine || storyboard === null || second === null) return setThumbnail(null);
    let isOver = false;
    engine
      .thumbnail(storyboard, second)
      .catch(() => null)
      .then((found) => {
        if (!isOver) setThumbnail(found);
      });
    return () => {
      isOver = true;
    };
  }, [engine, storyboard, second]);
  return thumbnail;
}
