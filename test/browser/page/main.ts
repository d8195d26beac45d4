/** The page: one video element, one player at a time, and the API through which a test drives and watches it. */
import type { Goal, PageApi, Player, PlayerName, State, Thumbnail } from './api.ts';
import { HlsPlayer } from './hls.ts';
import { ShakaPlayer } from './shaka.ts';
import { WaitMeter } from './wait.ts';

const LOOK_MS = 50;

class Page implements PageApi {
  readonly #video: HTMLVideoElement;
  readonly #wait: WaitMeter;
  readonly #fatal: string[] = [];
  readonly #mended: string[] = [];
  #player: Player | null = null;
  #name: PlayerName | null = null;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    this.#wait = new WaitMeter(video);
  }

  async load(name: PlayerName, url: string, at: number | null): Promise<void> {
    this.#wait.start();
    if (this.#name !== name) {
      await this.#player?.destroy();
      this.#player = this.#make(name);
      this.#name = name;
    }
    await this.#player?.load(url, at);
  }

  state(): State {
    const { currentTime, duration, ended, videoHeight, webkitAudioDecodedByteCount } = this.#video;
    return {
      ...{ time: currentTime, duration, ended, height: videoHeight, audioBytes: webkitAudioDecodedByteCount },
      edge: this.#player?.edge() ?? 0,
      rungs: this.#player?.rungs() ?? [],
      longestWait: this.#wait.longest,
      ...{ fatal: [...this.#fatal], mended: [...this.#mended] },
    };
  }

  seek(time: number): void {
    this.#video.currentTime = time;
  }

  choose(height: number): void {
    this.#player?.choose(height);
  }

  until(goal: Goal, limit: number): Promise<State> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + limit * 1000;
      const timer = setInterval(() => {
        const state = this.state();
        const isOver = state.fatal.length > 0 || performance.now() > deadline;
        if (!isOver && !isReached(goal, state)) return;
        clearInterval(timer);
        if (isOver) reject(new Error(`${JSON.stringify(goal)} was not reached: ${JSON.stringify(state)}`));
        else resolve(state);
      }, LOOK_MS);
    });
  }

  async thumbnails(url: string, times: readonly number[]): Promise<Thumbnail[]> {
    if (!(this.#player instanceof ShakaPlayer)) throw new Error('Only Shaka Player shows thumbnails');
    return this.#player.thumbnails(url, times);
  }

  #make(name: PlayerName): Player {
    const report = {
      fatal: (text: string) => void this.#fatal.push(text),
      mended: (text: string) => void this.#mended.push(text),
    };
    return name === 'hls.js' ? new HlsPlayer(this.#video, report) : new ShakaPlayer(this.#video, report);
  }
}

function isReached(goal: Goal, state: State): boolean {
  return (
    state.time >= (goal.time ?? 0) &&
    state.height === (goal.height ?? state.height) &&
    state.ended === (goal.ended ?? state.ended)
  );
}

const video = document.querySelector('video');
if (!video) throw new Error('The page has no video element');
window.reelwire = new Page(video);
