/** The row below the picture: play, time, sound, quality, full screen. */
import { Icon } from '../parts/icon.tsx';
import { clock } from '../words.ts';
import type { Media } from './media.ts';
import type { Tracks } from './playback.ts';

interface Props {
  media: Media;
  isPlaying: boolean;
  tracks: Tracks;
  /** The height that was chosen; null: by itself. */
  chosen: number | null;
  onToggle: () => void;
  onMute: () => void;
  onVolume: (volume: number) => void;
  onChoose: (height: number | null) => void;
  onFull: () => void;
}

export function Controls(props: Props) {
  const { media, isPlaying, tracks, chosen } = props;
  return (
    <div className="player__row">
      <button type="button" className="player__button" onClick={props.onToggle}>
        <Icon name={isPlaying ? 'pause' : 'play'} />
        <span className="unseen">{isPlaying ? 'Pause' : 'Play'}</span>
      </button>
      <span className="player__time">
        {clock(media.time)} / {clock(tracks.end)}
      </span>
      <span className="player__space" />
      <button type="button" className="player__button" aria-pressed={media.isMuted} onClick={props.onMute}>
        <Icon name={media.isMuted ? 'mute' : 'sound'} />
        <span className="unseen">Mute</span>
      </button>
      <input
        type="range"
        className="player__volume"
        aria-label="Volume"
        min="0"
        max="1"
        step="0.05"
        value={media.isMuted ? 0 : media.volume}
        onChange={({ target }) => props.onVolume(Number(target.value))}
      />
      {tracks.heights.length > 0 && (
        <select
          className="player__quality"
          aria-label="Quality"
          value={chosen ?? 'auto'}
          onChange={({ target }) => props.onChoose(target.value === 'auto' ? null : Number(target.value))}
        >
          <option value="auto">{tracks.height === null ? 'Auto' : `Auto (${tracks.height}p)`}</option>
          {tracks.heights.map((height) => (
            <option key={height} value={height}>
              {height}p
            </option>
          ))}
        </select>
      )}
      <button type="button" className="player__button" onClick={props.onFull}>
        <Icon name="full" />
        <span className="unseen">Full screen</span>
      </button>
    </div>
  );
}
