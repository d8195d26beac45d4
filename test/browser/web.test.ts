/**
 * The web app as people use it, in a real Chromium on the real edge with a real transcoder: one system and one browser
 * for all of it, because both are slow to start. Encoders keep a set pace, so that "while it runs" is long enough to
 * look, and no longer, on any machine.
 */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NewApiKey } from '../../src/contract/access.ts';
import { JobsPage } from '../../src/contract/api.ts';
import { System } from '../e2e/system.ts';
import { Clips } from '../transcoder/clips.ts';
import { openChromium } from './chromium.ts';
import { PacedTranscoder } from './paced.ts';
import { type Pages, servePages } from './pages.ts';
import { flow } from './web/clips.ts';
import { PHONE, Tab } from './web/tab.ts';

const SIZE = [640, 360] as const;
const FIRST_LOAD_BYTES = 200_000;

let system: System;
let browser: Browser;
let clips: Clips;
let pages: Pages;
let transcoder: PacedTranscoder;
let long: Buffer;
let short: string;
let desk: Tab;
let phone: Tab;

beforeAll(async () => {
  [system, browser, clips, pages] = await Promise.all([System.start(), openChromium(), Clips.open(), servePages()]);
  const clip = (name: string, seconds: number) => flow(clips, name, SIZE.join('x'), seconds);
  const [path, other] = await Promise.all([clip('long.mp4', 12), clip('short.mp4', 2)]);
  [long, short] = [await readFile(path), other];
  transcoder = await PacedTranscoder.start(system.url, clips, { size: SIZE, top: 1.1, rest: 3 });
  [desk, phone] = await Promise.all([Tab.open(browser, system.url), Tab.open(browser, system.url, PHONE)]);
});
afterAll(async () => {
  await Promise.all([desk?.close(), phone?.close()]);
  await transcoder?.stop();
  await Promise.all([system?.stop(), browser?.close(), clips?.close(), pages?.close()]);
});

const jobs = async (): Promise<JobsPage['jobs']> =>
  JobsPage.parse(await (await fetch(`${system.url}/jobs`, { headers: { Accept: 'application/json' } })).json()).jobs;

const bothAreWell = (): void => expect([...desk.problems, ...phone.problems]).toEqual([]);

/** Comes back to the page, which reads what is new at once. */
const lookAgain = (tab: Tab): Promise<void> => tab.page.evaluate(() => void window.dispatchEvent(new Event('focus')));

describe('a video', () => {
  test('is dropped on a page that is small, and its upload goes on after a reload', async () => {
    await desk.sees('There is no video yet.');
    await desk.isAccessible();
    const first = await desk.loaded();
    expect(first.bytes).toBeLessThan(FIRST_LOAD_BYTES);
    expect(first.names.filter((name) => name.includes('player'))).toEqual([]);

    await desk.sendSlowly(long.length / 5);
    await desk.drop('sea.mp4', long);
    const before = await desk.percent('Upload of sea.mp4', 20);
    await desk.titled(/^Uploading \d+ %/);
    await desk.press(/^Pause/);
    await desk.sees('Paused at');
    await desk.press(/^Resume/);
    await desk.sees(/\/s · /);
    await desk.page.reload();
    expect(await desk.percent('Upload of sea.mp4', before)).toBeGreaterThanOrEqual(before);
    await desk.sendSlowly(null);
    await desk.page.locator('.row').first().waitFor();
    expect(await jobs()).toHaveLength(1);
    bothAreWell();
  });

  test('shows its first picture while it is made, to two tabs, through a reload and a restart of the edge', async () => {
    const [job] = await jobs();
    await desk.page.getByRole('link', { name: /sea\.mp4/ }).click();
    await phone.page.goto(`${system.url}/jobs/${job?.id}`);
    await Promise.all([desk.pictured(), phone.pictured()]);
    expect(await desk.page.title()).toMatch(/^\d+ % · sea\.mp4/);
    expect((await desk.loaded()).names.some((name) => name.includes('player'))).toBe(true);
    const before = await desk.percent('Progress of the job', 11);
    await desk.page.locator('.rendition .bar').first().waitFor();

    await desk.page.reload();
    await desk.pictured();
    expect(await desk.percent('Progress of the job', before)).toBeGreaterThanOrEqual(before);
    const restarted = () => system.restart();
    await desk.inTrouble(() =>
      phone.inTrouble(async () => {
        await restarted();
        await Promise.all([desk.titled(/^Done/), phone.titled(/^Done/)]);
      }),
    );
    for (const tab of [desk, phone]) {
      await expect
        .poll(() => tab.page.getByRole('combobox', { name: 'Quality' }).locator('option').allTextContents())
        .toContain('360p');
      await tab.sees('VMAF');
    }
    expect(await desk.time()).toBe(0);
    bothAreWell();
  });

  test('is played: with keys, by quality, to thumbnails', async () => {
    await desk.sees(/ \/ 0:12$/);
    await desk.page.getByRole('button', { name: 'Play' }).focus();
    await desk.page.keyboard.press('k');
    await desk.playsOn();
    await desk.page.keyboard.press('5');
    await desk.playsOn();
    expect(await desk.time()).toBeGreaterThan(5);
    await desk.page.getByRole('combobox', { name: 'Quality' }).selectOption('240');
    await desk.page.waitForFunction(() => document.querySelector('video')?.videoHeight === 240);
    await desk.page.keyboard.press('Tab');
    await desk.page.getByLabel('Seek').hover();
    await desk.page.getByTestId('thumbnail').waitFor();
    await desk.page.keyboard.press('k');
    await desk.press('Event log');
    await desk.sees('Processing complete');
    await desk.press(/^Copy.*HLS/);
    await desk.sees('Copied');
    const copied = await desk.page.evaluate(() => navigator.clipboard.readText());
    expect((await fetch(copied)).status).toBe(200);
    for (const tab of [desk, phone]) await tab.isAccessible();
    bothAreWell();
  });
});

describe('a job', () => {
  test('that fails says why and what to do, can be retried, and is deleted in both tabs', async () => {
    await Promise.all([desk, phone].map((tab) => tab.page.goto(system.url)));
    await desk.page.setInputFiles('[data-testid=files]', {
      ...{ name: 'notes.mp4', mimeType: 'video/mp4' },
      buffer: Buffer.from('This is no video.'),
    });
    await desk.sees('Failed: it is not a video');
    await lookAgain(phone);
    await phone.sees('Failed: it is not a video');
    await phone.isAccessible();
    await desk.page.getByRole('link', { name: /notes\.mp4/ }).click();
    await desk.sees('Export it as MP4');
    await desk.isAccessible();
    await desk.press('Retry');
    await desk.press('Event log');
    await desk.page
      .getByText(/retried|again/i)
      .first()
      .waitFor();
    await desk.sees('Export it as MP4');
    await desk.press('Delete');
    await desk.isAccessible();
    await desk.press('Delete the video');
    await desk.sees('Drop videos here');
    await lookAgain(phone);
    await phone.misses('notes.mp4');
    bothAreWell();
  });

  test('is cancelled and retried in one tab, and the other follows', async () => {
    const id = await system.submit(new Uint8Array(long), 'draft.mp4');
    await desk.page.goto(`${system.url}/jobs/${id}`);
    await lookAgain(phone);
    await phone.page.getByRole('progressbar', { name: 'Progress of draft.mp4' }).waitFor();
    await desk.press('Cancel');
    await desk.press('Cancel the job');
    await desk.sees('This job was cancelled.');
    await phone.page.locator('.row', { hasText: 'draft.mp4' }).getByText('Cancelled').waitFor();
    await desk.isAccessible();
    await desk.press('Retry');
    await desk.page.getByRole('progressbar', { name: 'Progress of the job' }).waitFor();
    await lookAgain(phone);
    await phone.page.getByRole('progressbar', { name: 'Progress of draft.mp4' }).waitFor();
    await desk.inTrouble(async () => {
      await fetch(`${system.url}/jobs/${id}`, { method: 'DELETE' });
      await desk.sees('There is no such video');
    });
    await desk.isAccessible();
    bothAreWell();
  });
});

test('by keys alone a video is uploaded, played and deleted', async () => {
  const { page } = desk;
  await page.bringToFront();
  await page.goto(system.url);
  await desk.sees('Drop videos here');
  const chooser = page.waitForEvent('filechooser');
  await desk.tabTo(/^Choose files$/);
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(short);
  await page.getByRole('link', { name: /short\.mp4/ }).waitFor();
  await desk.tabTo(/short\.mp4/);
  await page.keyboard.press('Enter');
  await desk.titled(/^Done · short\.mp4/);
  await desk.pictured();
  await desk.tabTo(/^Play$/);
  await page.keyboard.press('Enter');
  await desk.playsOn();
  await desk.tabTo(/^Delete$/, 'Shift+Tab');
  await page.keyboard.press('Enter');
  await desk.tabTo(/^Delete the video$/);
  await page.keyboard.press('Enter');
  await desk.sees('Drop videos here');
  await desk.misses('short.mp4');
  bothAreWell();
});

test('a frame in a page of another site shows the player; the app itself is in no frame', async () => {
  const [job] = await jobs();
  const page = await browser.newPage();
  await page.goto(pages.url);
  const frameOf = async (path: string) => {
    await page.evaluate((src) => {
      document.body.replaceChildren(Object.assign(document.createElement('iframe'), { src, width: 640, height: 360 }));
    }, system.url + path);
    return page.frameLocator('iframe');
  };
  const frame = await frameOf(`/watch/${job?.id}`);
  await frame.getByRole('button', { name: 'Play' }).click();
  await frame
    .locator('video')
    .evaluate((video) => new Promise((resolve) => video.addEventListener('timeupdate', resolve)));
  const refused = page.waitForEvent('console', (message) => /frame-ancestors|X-Frame-Options/.test(message.text()));
  await frameOf('/');
  await refused;
  await page.close();
});

test('where access is closed, a key opens the app, and what is shared holds a token', async () => {
  const made = await fetch(`${system.url}/keys`, { method: 'POST', body: '{"name":"web","role":"admin"}' });
  const { key } = NewApiKey.parse(await made.json());
  const [job] = await jobs();
  await desk.page.goto(system.url);
  await desk.inTrouble(async () => {
    await system.restart({ REELWIRE_OPEN: '', TOKEN_SECRET: 'a secret', TRANSCODER_TOKEN: 'another one' });
    await desk.page.goto(`${system.url}/jobs/${job?.id}`);
    await desk.sees('This server is closed.');
    await desk.isAccessible();
    await desk.page.getByLabel('Key').fill(`rw_${'0'.repeat(12)}_${'0'.repeat(48)}`);
    await desk.press('Sign in');
    await desk.sees('There is no such key');
  });
  await desk.page.getByLabel('Key').fill(key);
  await desk.press('Sign in');
  await desk.pictured();
  await desk.press(/^Copy.*Embed/);
  await desk.sees('Copied');
  const snippet = await desk.page.evaluate(() => navigator.clipboard.readText());
  const stranger = await Tab.open(browser, /src="([^"]+)"/.exec(snippet)?.[1] ?? '');
  await stranger.pictured();
  await stranger.isAccessible();
  expect(stranger.problems).toEqual([]);
  await stranger.close();
  await desk.press(/^Sign out/);
  await desk.sees('This server is closed.');
  expect(desk.problems).toEqual([]);
});
