/**
 * Shaka Player for one video: loads the master, and again, at the same place, when there is more in it, because a player
 * never does that by itself. What breaks off is tried again for as long as the page is there: segments here, and playlists
 * by loading again, because the player does not come back to one that it could not open. It turns away from no rung: what
 * fails is the way to the server, for all of them, and pictures are dropped where the machine is busy for a moment, while
 * the playlist of another rung may be out of reach. From the end of a growing stream it keeps one segment away, not three.
 */
import shaka from 'shaka-player/dist/shaka-player.hls-es2021.js';

const RETRY_SECONDS = 2;
const LOOK_MS = 500;

/**
 * A growing stream whose playlists were not asked for in so many looks is lost. Looks, not time: in a hidden tab a
 * browser slows down both.
 */
const LOST_LOOKS = 40;

const { MANIFEST } = shaka.net.NetworkingEngine.RequestType;

/** In ms: playlists are small, and one that does not come is asked for again soon. */
const IMPATIENT = { timeout: 6000, connectionTimeout: 4000, stallTimeout: 4000 };

const CHANGES = ['trackschanged', 'adaptation', 'variantchanged', 'loaded'];

export interface Thumbnail {
  readonly sheet: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class Engine {
  readonly #player = new shaka.Player();
  readonly #video: HTMLVideoElement;
  #thumbnails: { readonly url: string; readonly track: Promise<number | null> } | null = null;
  #height: number | null = null;
  readonly #timer: ReturnType<typeof setInterval>;
  #looks = 0;

  /**
   * `onChange`: what can be chosen or played, or what is shown, may be something else now. `onLost`: what is loaded does
   * not grow any more, though the stream does.
   */
  constructor(video: HTMLVideoElement, onChange: () => void, onLost: () => void) {
    shaka.polyfill.installAll();
    this.#video = video;
    this.#player.configure({
      abr: { droppedFrames: false },
      manifest: { hls: { liveSegmentsDelay: 1 }, retryParameters: IMPATIENT },
      streaming: {
        maxDisabledTime: 0,
        failureCallback: ({ data }: shaka.util.Error) => {
          if (data.at(-1) === MANIFEST) onLost();
          else this.#player.retryStreaming(RETRY_SECONDS);
        },
      },
    });
    this.#player.getNetworkingEngine()?.registerRequestFilter((type) => {
      if (type === MANIFEST) this.#looks = 0;
    });
    // What can be played of a growing stream grows without a sign.
    this.#timer = setInterval(() => {
      onChange();
      this.#looks = this.#player.isDynamic() ? this.#looks + 1 : 0;
      if (this.#looks > LOST_LOOKS) onLost();
    }, LOOK_MS);
    for (const event of CHANGES) this.#player.addEventListener(event, onChange);
  }

  /** From `at`, in seconds. Rejects when there is nothing to play, or not yet. */
  async load(url: string, at: number): Promise<void> {
    this.#thumbnails = null;
    await this.#player.attach(this.#video);
    await this.#player.load(url, at);
    if (this.#height !== null) this.choose(this.#height);
  }

  /** The rungs, from the highest down. */
  heights(): number[] {
    const heights = this.#player.getVariantTracks().map(({ height }) => height ?? 0);
    return [...new Set(heights)].sort((a, b) => b - a);
  }

  /** The rung that is shown; null before the first picture. */
  height(): number | null {
    return this.#player.getVariantTracks().find(({ active }) => active)?.height ?? null;
  }

  /** Null: whatever the connection carries. */
  choose(height: number | null): void {
    this.#height = height;
    this.#player.configure('abr.enabled', height === null);
    const track = this.#player.getVariantTracks().find((variant) => variant.height === height);
    if (track) this.#player.selectVariantTrack(track, true);
  }

  /** What can be played, in seconds. What is loaded can be, even where Shaka Player keeps away from the end. */
  range(): { start: number; end: number } {
    const { start, end } = this.#player.seekRange();
    const { buffered } = this.#video;
    return { start, end: Math.max(end, buffered.length > 0 ? buffered.end(buffered.length - 1) : 0) };
  }

  /** The picture at `time` in the storyboard at `url`; null where there is none. */
  async thumbnail(url: string, time: number): Promise<Thumbnail | null> {
    if (this.#thumbnails?.url !== url) this.#thumbnails = { url, track: this.#addThumbnails(url) };
    const track = await this.#thumbnails.track;
    const found = track === null ? null : await this.#player.getThumbnails(track, time);
    const sheet = found?.uris[0];
    if (!found || !sheet) return null;
    return { sheet, x: found.positionX, y: found.positionY, width: found.width, height: found.height };
  }

  async destroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#player.destroy();
  }

  async #addThumbnails(url: string): Promise<number | null> {
    const address = new URL(url, location.href).href;
    const track = await this.#player.addThumbnailsTrack(address, 'text/vtt').catch(() => null);
    return track?.id ?? null;
  }
}
