/** What the page offers to the test, as `window.reelwire`, and what its players offer to the page. */
export type PlayerName = 'hls.js' | 'Shaka Player';

/** Times in seconds. `edge`: the latest moment from which one can play on at once. */
export interface State {
  readonly time: number;
  readonly edge: number;
  readonly duration: number;
  readonly ended: boolean;
  /** Heights of the rungs the player knows, from the lowest up, and of the picture it shows. */
  readonly rungs: readonly number[];
  readonly height: number;
  /** Bytes of sound that were decoded so far. */
  readonly audioBytes: number;
  /** The longest time for which the picture stood still although it should have moved. */
  readonly longestWait: number;
  /** Fatal errors of the player; nothing works after one. */
  readonly fatal: readonly string[];
  /** What the player complained about and mended itself. */
  readonly mended: readonly string[];
}

/** All that is given must hold at once. `time`: at least. */
export interface Goal {
  readonly time?: number;
  readonly height?: number;
  readonly ended?: boolean;
}

/** A thumbnail: its place in its sheet, and the sheet's size as the browser decodes it. */
export interface Thumbnail {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly sheet: { readonly width: number; readonly height: number };
}

export interface PageApi {
  /** Plays `url` from `at`, or from where the manifest says; what played before is dropped. */
  load(player: PlayerName, url: string, at: number | null): Promise<void>;
  state(): State;
  seek(time: number): void;
  /** Shows this rung and no other. */
  choose(height: number): void;
  /** Resolves when the goal is reached; rejects with the state on a fatal error and after `limit` seconds. */
  until(goal: Goal, limit: number): Promise<State>;
  /** Shaka Player only. */
  thumbnails(url: string, times: readonly number[]): Promise<Thumbnail[]>;
}

export interface Report {
  fatal(text: string): void;
  mended(text: string): void;
}

export interface Player {
  load(url: string, at: number | null): Promise<void>;
  edge(): number;
  rungs(): number[];
  choose(height: number): void;
  destroy(): Promise<void>;
}

declare global {
  interface Window {
    reelwire: PageApi;
  }
  interface HTMLVideoElement {
    /** Chromium's own. */
    readonly webkitAudioDecodedByteCount: number;
  }
}
