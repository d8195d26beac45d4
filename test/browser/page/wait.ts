/** Measures how long the picture stands still although it should move: from loading on, except when paused or ended. */
const LOOK_MS = 50;

export class WaitMeter {
  longest = 0;
  readonly #video: HTMLVideoElement;
  #time = 0;
  #movedAt = performance.now();

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    setInterval(() => this.#look(), LOOK_MS);
  }

  /** Loading begins. */
  start(): void {
    this.#movedAt = performance.now();
  }

  #look(): void {
    const { currentTime, paused, ended } = this.#video;
    const now = performance.now();
    if (currentTime !== this.#time || paused || ended) this.#movedAt = now;
    this.#time = currentTime;
    this.longest = Math.max(this.longest, (now - this.#movedAt) / 1000);
  }
}
