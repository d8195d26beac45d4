/** hls.js with its default settings. */
import Hls from 'hls.js';
import type { Player, Report } from './api.ts';

/** Seconds that are left to play. */
const FROM_END = 3;

export class HlsPlayer implements Player {
  readonly #video: HTMLVideoElement;
  readonly #report: Report;
  #hls: Hls | null = null;

  constructor(video: HTMLVideoElement, report: Report) {
    this.#video = video;
    this.#report = report;
  }

  async load(url: string, at: number | null): Promise<void> {
    await this.destroy();
    const hls = new Hls({ startPosition: at ?? -1 });
    this.#hls = hls;
    const parsed = new Promise<void>((resolve) => hls.once(Hls.Events.MANIFEST_PARSED, () => resolve()));
    const failed = new Promise<void>((_, reject) => {
      hls.on(Hls.Events.ERROR, (_event, { fatal, type, details, error }) => {
        const text = `${type} ${details}: ${error.message}`;
        if (!fatal) return this.#report.mended(text);
        this.#report.fatal(text);
        reject(new Error(text));
      });
    });
    // After the start an error has nobody here to wait for it; it is in the report.
    failed.catch(() => undefined);
    hls.loadSource(url);
    hls.attachMedia(this.#video);
    await Promise.race([parsed, failed]);
    await this.#video.play();
  }

  edge(): number {
    const { seekable } = this.#video;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) - FROM_END : 0;
  }

  rungs(): number[] {
    return (this.#hls?.levels ?? []).map(({ height }) => height);
  }

  choose(height: number): void {
    if (this.#hls) this.#hls.currentLevel = this.#hls.levels.findIndex((level) => level.height === height);
  }

  async destroy(): Promise<void> {
    this.#hls?.destroy();
    this.#hls = null;
  }
}
