/**
 * `npm run screenshots [-- FOLDER] [--readme]`: every page of the web app in every state, light and dark, on a desk and on
 * a phone, of the real system. With `--readme` the two of the README in docs/screenshots are made anew.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { main, Refusal } from '../../tools/main.ts';
import { ROOT } from '../../tools/paths.mjs';
import { QUIET } from '../../tools/wrangler/program.ts';
import { System } from '../e2e/system.ts';
import { Clips } from '../transcoder/clips.ts';
import { openChromium } from './chromium.ts';
import { PacedTranscoder } from './paced.ts';
import { flow } from './web/clips.ts';

const SIZES = { desk: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
const README: Record<string, string> = { 'home-desk-light': 'home', 'job-running-desk-dark': 'job' };
const SLOW_BYTES = 60_000;

class Album {
  readonly #folder: string;
  readonly #isForReadme: boolean;

  constructor(folder: string, isForReadme: boolean) {
    this.#folder = folder;
    this.#isForReadme = isForReadme;
  }

  /** The page as it is, four times. */
  async add(name: string, page: Page): Promise<void> {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const full = `${name}-${size}-${colorScheme}`;
        await page.screenshot({ path: join(this.#folder, `${full}.png`), fullPage: true });
        const shown = this.#isForReadme ? README[full] : undefined;
        if (shown) await page.screenshot({ path: join(ROOT, 'docs/screenshots', `${shown}.png`) });
      }
    }
    console.log(name);
  }
}

async function seen(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor({ timeout: 60_000 });
}

/** The four sides of the app that need no job, or none that works. */
async function withoutJobs(album: Album, system: System, browser: Browser): Promise<void> {
  const page = await browser.newPage();
  await page.goto(system.url);
  await seen(page, 'There is no video yet.');
  await album.add('home-empty', page);
  await page.goto(`${system.url}/jobs/00000000-0000-4000-8000-000000000000`);
  await seen(page, 'There is no such video');
  await album.add('not-found', page);
  await page.route('**/session', (route) => route.fulfill({ json: { mode: 'keys', name: null, role: null } }));
  await page.goto(system.url);
  await seen(page, 'This server is closed');
  await album.add('sign-in', page);
  await page.close();
}

async function uploads(album: Album, system: System, browser: Browser, file: string): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(system.url);
  const network = await context.newCDPSession(page);
  const slow = { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput: SLOW_BYTES };
  await network.send('Network.emulateNetworkConditions', slow);
  await page.setInputFiles('[data-testid=files]', file);
  await seen(page, /KB\/s/);
  await album.add('home-uploading', page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await seen(page, 'Paused at');
  await album.add('home-paused', page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await album.add('dialog', page);
  await page.getByRole('button', { name: 'Cancel the upload' }).click();
  await page.locator('.upload').waitFor({ state: 'detached' });
  await context.close();
}

function readOptions(): { folder: string; isForReadme: boolean } {
  try {
    const options = { readme: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ args: process.argv.slice(2), allowPositionals: true, options });
    const [given = join(ROOT, '.wrangler/screenshots')] = positionals;
    return { folder: resolve(process.env.INIT_CWD ?? '.', given), isForReadme: values.readme };
  } catch {
    throw new Refusal('Usage: npm run screenshots [-- FOLDER] [--readme]', 2);
  }
}

await main(async () => {
  const { folder, isForReadme } = readOptions();
  Object.assign(process.env, QUIET);
  await mkdir(folder, { recursive: true });
  const album = new Album(folder, isForReadme);
  const [system, browser, clips] = await Promise.all([System.start(), openChromium(), Clips.open()]);
  let transcoder: PacedTranscoder | null = null;
  try {
    const small = await flow(clips, 'tide.mp4', '854x480', 12);
    const bytes = new Uint8Array(await readFile(small));
    await withoutJobs(album, system, browser);
    await uploads(album, system, browser, small);

    const page = await browser.newPage();
    const waiting = await system.submit(bytes, 'A walk by the sea.mp4');
    await page.goto(`${system.url}/jobs/${waiting}`);
    await seen(page, 'Waiting for a transcoder');
    await album.add('job-waiting', page);

    transcoder = await PacedTranscoder.start(system.url, clips, { size: [854, 480], top: 3, rest: 6 });
    await seen(page, 'Share');
    await page.waitForFunction(() => document.title.startsWith('Done'), null, { timeout: 90_000 });
    await page.getByRole('button', { name: 'Event log' }).click();
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    await album.add('job-completed', page);
    const completed = waiting;

    const failed = await system.submit(new TextEncoder().encode('This is no video.'), 'notes.txt.mp4');
    await page.goto(`${system.url}/jobs/${failed}`);
    await page.waitForFunction(() => document.title.startsWith('Failed'), null, { timeout: 60_000 });
    await album.add('job-failed', page);

    await system.submit(
      new Uint8Array(await readFile(await flow(clips, 'b.mp4', '640x360', 4, 7))),
      'Interview, take 2.mov',
    );
    await transcoder.stop();
    transcoder = await PacedTranscoder.start(system.url, clips, { size: [854, 480], top: 0.35, rest: 1.3 });
    const long = new Uint8Array(await readFile(await flow(clips, 'c.mp4', '854x480', 24, 11)));
    const cancelled = await system.submit(bytes, 'Draft.mp4');
    await fetch(`${system.url}/jobs/${cancelled}/cancel`, { method: 'POST' });
    const running = await system.submit(long, 'Harbour at dawn.mp4');
    await page.goto(`${system.url}/jobs/${cancelled}`);
    await seen(page, 'This job was cancelled.');
    await album.add('job-cancelled', page);
    await page.goto(`${system.url}/jobs/${running}`);
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2, null, {
      timeout: 90_000,
    });
    await page.locator('.rendition .bar').first().waitFor();
    await album.add('job-running', page);
    await page.goto(system.url);
    await seen(page, 'Harbour at dawn.mp4');
    await page.locator('.row img').first().waitFor();
    await album.add('home', page);
    await page.context().setOffline(true);
    await seen(page, 'You are offline');
    await album.add('home-offline', page);
    await page.context().setOffline(false);
    await page.goto(`${system.url}/watch/${completed}`);
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    await album.add('watch', page);
  } finally {
    await transcoder?.stop();
    await Promise.all([browser.close(), system.stop(), clips.close()]);
  }
  console.log(`The pictures are in ${folder}`);
  return 0;
});
