/** A tab of a browser with the web app in it. Whatever goes wrong is kept: errors, warnings, refused requests. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, CDPSession, Page, Route } from 'playwright-core';
import { expect } from 'vitest';
import { ROOT } from '../../../tools/paths.mjs';

const DESK = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** How long anything may take, in ms: the rest of a job too, on a machine that is busy with others. */
export const LIMIT_MS = 60_000;

const axe = readFile(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

export class Tab {
  readonly page: Page;
  readonly problems: string[] = [];
  readonly #context: BrowserContext;
  #network: CDPSession | null = null;
  #isTrouble = false;
  /** Names of the files that were loaded, with what they weigh on the wire. */
  readonly #loaded = new Map<string, Promise<number>>();

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(LIMIT_MS);
    page.on('pageerror', ({ message }) => this.#note(message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#note(`${message.text()} (${message.location().url})`);
    });
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText;
      // What is not needed any more is dropped: on a seek, on leaving a page.
      if (reason !== 'net::ERR_ABORTED') this.#note(`${reason} ${request.method()} ${request.url()}`);
    });
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() >= 400) this.#note(`${response.status()} ${response.request().method()} ${pathname}`);
      const weight = async () => gzipSync(await response.body()).length;
      if (/^\/(assets\/.*)?$/.test(pathname))
        this.#loaded.set(
          pathname,
          weight().catch(() => 0),
        );
    });
  }

  static async open(browser: Browser, url: string, viewport = DESK): Promise<Tab> {
    const context = await browser.newContext({ viewport, permissions: ['clipboard-read', 'clipboard-write'] });
    const tab = new Tab(context, await context.newPage());
    await tab.page.goto(url);
    return tab;
  }

  close(): Promise<void> {
    return this.#context.close();
  }

  /** What goes wrong meanwhile belongs to the test. What did is known when a request after it is answered. */
  async inTrouble(work: () => Promise<void>): Promise<void> {
    this.#isTrouble = true;
    await work();
    await this.page.evaluate(async () => void (await fetch('/health')));
    this.#isTrouble = false;
  }

  /** An empty page, and nothing left of what a test that failed was about. */
  async clear(): Promise<void> {
    this.#isTrouble = true;
    await this.page.unrouteAll({ behavior: 'ignoreErrors' });
    await this.#context.setOffline(false);
    await this.sendSlowly(null);
    await this.page.goto('about:blank');
    this.#isTrouble = false;
    this.problems.length = 0;
  }

  /** What the server answers to `requests` comes when `work` is done. */
  async withheld(requests: string | ((url: URL) => boolean), work: () => Promise<void>): Promise<void> {
    const over = Promise.withResolvers<void>();
    const answers: Promise<void>[] = [];
    const answer = async (route: Route) => {
      const response = await route.fetch();
      await over.promise;
      await route.fulfill({ response });
    };
    await this.page.route(requests, (route) => {
      answers.push(answer(route));
    });
    await work();
    over.resolve();
    await Promise.all(answers);
    await this.page.unroute(requests);
  }

  /** The name and the bytes, gzipped, of everything that the pages were made of. */
  async loaded(): Promise<{ names: string[]; bytes: number }> {
    const weights = await Promise.all(this.#loaded.values());
    return { names: [...this.#loaded.keys()], bytes: weights.reduce((sum, weight) => sum + weight, 0) };
  }

  /** So many bytes a second go out; all that can when `null`. */
  async sendSlowly(bytes: number | null): Promise<void> {
    this.#network ??= await this.#context.newCDPSession(this.page);
    const speed = { latency: 0, downloadThroughput: -1, uploadThroughput: bytes ?? -1 };
    await this.#network.send('Network.emulateNetworkConditions', { offline: false, ...speed });
  }

  /** Somebody drags a file over the page and lets it go. */
  async drop(name: string, bytes: Uint8Array): Promise<void> {
    const file = { name, base64: Buffer.from(bytes).toString('base64') };
    await this.page.evaluate(({ name, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name, { type: 'video/mp4', lastModified: 1 }));
      for (const type of ['dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
      }
    }, file);
  }

  async sees(text: string | RegExp): Promise<void> {
    const found = this.page.getByText(text).filter({ visible: true }).first();
    await this.#orShown(found.waitFor());
  }

  async titled(title: RegExp): Promise<void> {
    await this.#orShown(this.page.waitForFunction((text) => new RegExp(text).test(document.title), title.source));
  }

  /** Until the list has no such job any more. */
  async misses(key: string): Promise<void> {
    await this.page.locator('.row', { hasText: key }).waitFor({ state: 'detached' });
  }

  press(name: string | RegExp): Promise<void> {
    return this.page.getByRole('button', { name }).first().click();
  }

  /** How many uploads the browser has locks for: one each, as long as it is sent or waits. */
  uploads(): Promise<number> {
    return this.page.evaluate(async () => {
      const { held = [] } = await navigator.locks.query();
      return held.filter(({ name }) => name?.startsWith('reelwire-upload-')).length;
    });
  }

  /** How far a bar is, once it is at least so far. */
  async percent(bar: string, atLeast = 0): Promise<number> {
    const wanted = { bar, atLeast };
    const handle = await this.page.waitForFunction(({ bar, atLeast }) => {
      const now = Number(document.querySelector(`[role=progressbar][aria-label="${bar}"]`)?.ariaValueNow ?? -1);
      return now >= atLeast && { now };
    }, wanted);
    return handle.evaluate((found) => (found === false ? -1 : found.now));
  }

  /** A picture is there. */
  async pictured(): Promise<void> {
    await this.page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
  }

  time(): Promise<number> {
    return this.page.evaluate(() => document.querySelector('video')?.currentTime ?? -1);
  }

  /** How far the video is loaded, in seconds. */
  loadedTo(): Promise<number> {
    return this.page.evaluate(() => {
      const buffered = document.querySelector('video')?.buffered;
      return buffered?.length ? buffered.end(buffered.length - 1) : 0;
    });
  }

  async playsOn(after?: number): Promise<void> {
    const from = after ?? (await this.time());
    await this.page.waitForFunction((time) => (document.querySelector('video')?.currentTime ?? 0) > time + 0.3, from);
  }

  /** By keys alone to what is called so. */
  async tabTo(name: RegExp, key = 'Tab'): Promise<void> {
    const met: string[] = [];
    for (let presses = 0; presses < 80; presses++) {
      await this.page.keyboard.press(key);
      const at = await this.page.evaluate(() => {
        const { activeElement } = document;
        return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
      });
      if (name.test(at.trim())) return;
      met.push(at.trim());
    }
    throw new Error(`Nothing called ${name} among: ${met.join(' | ')}`);
  }

  /** What axe-core finds, in light; and of colours in dark. */
  async isAccessible(): Promise<void> {
    await this.page.evaluate(await axe);
    const found: unknown[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const rules = colorScheme === 'dark' ? ['color-contrast'] : null;
      found.push(
        ...(await this.page.evaluate(async (only) => {
          const { axe } = globalThis as unknown as { axe: Axe };
          const { violations } = await axe.run(document, only ? { runOnly: only } : {});
          return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }));
        }, rules)),
      );
    }
    expect(found).toEqual([]);
  }

  /** What does not come true fails with what is on the page instead. */
  async #orShown(wait: Promise<unknown>): Promise<void> {
    await wait.catch(async (error: Error) => {
      throw new Error(`${error.message} The page says:\n${await this.page.locator('body').innerText()}`);
    });
  }

  #note(problem: string): void {
    if (!this.#isTrouble) this.problems.push(problem);
  }
}

interface Axe {
  run(
    root: Document,
    options: { runOnly?: string[] },
  ): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}
