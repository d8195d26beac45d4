/** What the browser tests share: the clip, a browser with the page in it, people who watch, and how to read a job. */
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import type { Told } from '../e2e/follow.ts';
import { Clips, QUICK, testPicture, testTone } from '../transcoder/clips.ts';
import { openChromium } from './chromium.ts';
import type { PlayerName } from './page/api.ts';
import { type Pages, servePages } from './pages.ts';
import { Viewer } from './viewer.ts';

export const SIZE = [854, 480] as const;
export const HEIGHTS = [240, 360, 480];
/** Whole segments: sound that outlasts them by a few milliseconds must leave no segment of its own. */
export const SECONDS = 16;
export const PLAYERS: PlayerName[] = ['hls.js', 'Shaka Player'];

export class Theatre {
  readonly clips: Clips;
  readonly clip: Uint8Array<ArrayBuffer>;
  readonly #browser: Browser;
  readonly #pages: Pages;
  #viewers: Viewer[] = [];

  private constructor(browser: Browser, pages: Pages, clips: Clips, clip: Uint8Array<ArrayBuffer>) {
    this.#browser = browser;
    this.#pages = pages;
    this.clips = clips;
    this.clip = clip;
  }

  static async open(): Promise<Theatre> {
    const [browser, pages, clips] = await Promise.all([openChromium(), servePages(), Clips.open()]);
    const args = [...testPicture(SIZE.join('x'), '15', SECONDS), ...testTone(SECONDS), ...QUICK, '-shortest'];
    const clip = await clips.read(await clips.make('clip.mp4', ...args));
    return new Theatre(browser, pages, clips, new Uint8Array(clip));
  }

  async viewer(): Promise<Viewer> {
    const viewer = await Viewer.open(this.#browser, this.#pages.url);
    this.#viewers.push(viewer);
    return viewer;
  }

  /** Everybody goes home. */
  async empty(): Promise<void> {
    const leaving = this.#viewers;
    this.#viewers = [];
    await Promise.all(leaving.map((viewer) => viewer.close()));
  }

  async close(): Promise<void> {
    await Promise.all([this.#browser.close(), this.#pages.close()]);
    await this.clips.close();
  }
}

export async function isWell(viewer: Viewer): Promise<void> {
  const { fatal } = await viewer.state();
  expect({ fatal, problems: viewer.problems }).toEqual({ fatal: [], problems: [] });
}

/** Whether so many percent of the slowest rung are encoded. */
export const isEncoded =
  (percent: number) =>
  ({ event, data }: Told): boolean => {
    if (event !== 'progress' || data.stage !== 'transcoding') return false;
    const { renditions = [] } = (data.details ?? {}) as { renditions?: { percent: number }[] };
    return renditions.length > 0 && renditions.every((rendition) => rendition.percent >= percent);
  };
