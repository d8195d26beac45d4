/**
 * Shaka Player for HLS and DASH, with its default settings but two. From the end of a growing stream it would keep three
 * segments away, and after a reload begin there: one will do. And a rung of which it drops frames would be left out
 * for a while: here the machine that plays is the one that encodes. Its bundle is no module: it leaves a global behind.
 */
import 'shaka-player';
import type shakaNamespace from 'shaka-player';
import type { Player, Report, Thumbnail } from './api.ts';

declare const shaka: typeof shakaNamespace;

const CRITICAL = 2;
const isShakaError = (error: unknown): error is shakaNamespace.util.Error => error instanceof shaka.util.Error;

export class ShakaPlayer implements Player {
  readonly #player = new shaka.Player();
  readonly #video: HTMLVideoElement;
  readonly #report: Report;

  constructor(video: HTMLVideoElement, report: Report) {
    this.#video = video;
    this.#report = report;
    this.#player.configure({ manifest: { hls: { liveSegmentsDelay: 1 } }, abr: { droppedFrames: false } });
    this.#player.addEventListener('error', (event: Event) => {
      const { detail } = event as CustomEvent<shakaNamespace.util.Error>;
      if (detail.severity === CRITICAL) report.fatal(describe(detail));
      else report.mended(describe(detail));
    });
  }

  async load(url: string, at: number | null): Promise<void> {
    try {
      await this.#player.attach(this.#video);
      await this.#player.load(url, at);
    } catch (error) {
      this.#report.fatal(describe(error));
      throw new Error(describe(error));
    }
    await this.#video.play();
  }

  /** Shaka Player keeps a distance to the end of a growing stream by itself. */
  edge(): number {
    return this.#player.seekRange().end;
  }

  rungs(): number[] {
    const heights = this.#player.getVariantTracks().map(({ height }) => height ?? 0);
    return [...new Set(heights)].sort((a, b) => a - b);
  }

  choose(height: number): void {
    this.#player.configure('abr.enabled', false);
    const track = this.#player.getVariantTracks().find((variant) => variant.height === height);
    if (track) this.#player.selectVariantTrack(track, true);
  }

  async thumbnails(url: string, times: readonly number[]): Promise<Thumbnail[]> {
    const { id } = await this.#player.addThumbnailsTrack(url, 'text/vtt');
    return Promise.all(
      times.map(async (time) => {
        const found = await this.#player.getThumbnails(id, time);
        const address = found?.uris[0];
        if (!found || !address) throw new Error(`There is no thumbnail at ${time} s`);
        const sheet = new Image();
        sheet.src = address;
        await sheet.decode();
        const { positionX: x, positionY: y, width, height } = found;
        return { x, y, width, height, sheet: { width: sheet.naturalWidth, height: sheet.naturalHeight } };
      }),
    );
  }

  async destroy(): Promise<void> {
    await this.#player.destroy();
  }
}

function describe(error: unknown): string {
  return isShakaError(error) ? `Shaka ${error.code} ${JSON.stringify(error.data)}` : String(error);
}
