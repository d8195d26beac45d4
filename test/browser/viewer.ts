/** Someone who watches: a tab of the browser with the page in it, driven from the test. Whatever goes wrong is kept. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Goal, PlayerName, State, Thumbnail } from './page/api.ts';

/** How long a goal may take, in seconds, where the test does not say. */
const LIMIT = 20;

export class Viewer {
  /** Failed requests, error answers, and what the console says in red. */
  readonly problems: string[] = [];
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.problems.push(`${response.status()} ${response.url()}`);
    });
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText;
      // A player drops the requests it no longer needs, on a seek for instance.
      if (reason !== 'net::ERR_ABORTED') this.problems.push(`${reason} ${request.url()}`);
    });
  }

  static async open(browser: Browser, url: string): Promise<Viewer> {
    const page = await browser.newPage();
    const viewer = new Viewer(page);
    await page.goto(url);
    await page.waitForFunction(() => window.reelwire !== undefined);
    return viewer;
  }

  close(): Promise<void> {
    return this.#page.close();
  }

  /** Plays from `at`, or from where the manifest says. */
  load(player: PlayerName, url: string, at: number | null = null): Promise<void> {
    return this.#page.evaluate((args) => window.reelwire.load(...args), [player, url, at] as const);
  }

  state(): Promise<State> {
    return this.#page.evaluate(() => window.reelwire.state());
  }

  seek(time: number): Promise<void> {
    return this.#page.evaluate((at) => window.reelwire.seek(at), time);
  }

  choose(height: number): Promise<void> {
    return this.#page.evaluate((wanted) => window.reelwire.choose(wanted), height);
  }

  until(goal: Goal, limit = LIMIT): Promise<State> {
    return this.#page.evaluate((args) => window.reelwire.until(...args), [goal, limit] as const);
  }

  thumbnails(url: string, times: readonly number[]): Promise<Thumbnail[]> {
    return this.#page.evaluate((args) => window.reelwire.thumbnails(...args), [url, times] as const);
  }

  /** For people: what the page looks like now. */
  async screenshot(folder: string, name: string): Promise<string> {
    const path = join(folder, `${name}.png`);
    await this.#page.screenshot({ path });
    return path;
  }
}
