/**
 * The web app as people use it, in a real Chromium on the real edge with a real transcoder: one system and one browser
 * for all of it, because both are slow to start. Encoders keep a set pace, so that "while it runs" is long enough to
 * look, and no longer, on any machine.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { behindAKey, inFrames } from './web/elsewhere.ts';
import { throughARestart } from './web/restart.ts';
import { openStage, type Stage } from './web/stage.ts';
import type { Tab } from './web/tab.ts';

const FIRST_LOAD_BYTES = 200_000;

let stage: Stage;
let desk: Tab;
let phone: Tab;
beforeAll(async () => {
  stage = await openStage();
  ({ desk, phone } = stage);
});
afterAll(() => stage?.close());

/** Comes back to the page, which reads what is new at once. */
const lookAgain = (tab: Tab): Promise<void> => tab.page.evaluate(() => void window.dispatchEvent(new Event('focus')));

describe('a video', () => {
  test('is dropped on a page that is small, and its upload goes on after a reload', async () => {
    await desk.sees('There is no video yet.');
    await desk.isAccessible();
    const first = await desk.loaded();
    expect(first.bytes).toBeLessThan(FIRST_LOAD_BYTES);
    expect(first.names.filter((name) => name.includes('player'))).toEqual([]);

    await desk.sendSlowly(stage.long.length / 5);
    await desk.drop('sea.mp4', stage.long);
    const before = await desk.percent('Upload of sea.mp4', 20);
    await desk.titled(/^Uploading \d+ %/);
    await desk.press(/^Pause/);
    await desk.sees('Paused at');
    await desk.isAccessible();
    await desk.press(/^Resume/);
    await desk.sees(/\/s · /);
    await desk.page.reload();
    expect(await desk.percent('Upload of sea.mp4', before)).toBeGreaterThanOrEqual(before);
    await desk.drop('mistake.mp4', stage.long);
    await desk.percent('Upload of mistake.mp4', 1);
    await desk.press('Cancel mistake.mp4');
    await desk.press('Cancel the upload');
    await desk.page.getByText('mistake.mp4').first().waitFor({ state: 'detached' });
    await desk.sendSlowly(null);
    await desk.page.locator('.row').first().waitFor();
    await expect.poll(async () => (await stage.jobs()).map(({ key }) => key)).toEqual(['sea.mp4']);
    stage.isWell();
  }, 120_000);

  test('shows its first picture while it is made, to two tabs, through a reload and a restart of the edge', async () => {
    const [job] = await stage.jobs();
    await desk.inTrouble(async () => {
      await desk.page.route('**/*.m3u8', (route) => route.abort());
      await desk.page.getByRole('link', { name: /sea\.mp4/ }).click();
      await desk.sees('It is tried again.');
      await desk.press('Play');
      await desk.page.unroute('**/*.m3u8');
    });
    await phone.page.goto(`${stage.system.url}/jobs/${job?.id}`);
    await Promise.all([desk.playsOn(0), phone.pictured()]);
    expect(await desk.page.title()).toMatch(/^\d+ % · sea\.mp4/);
    expect((await desk.loaded()).names.some((name) => name.includes('player'))).toBe(true);
    const before = await desk.percent('Progress of the job', 11);
    await desk.page.locator('.rendition .bar').first().waitFor();
    await desk.isAccessible();

    await desk.page.reload();
    await desk.pictured();
    expect(await desk.percent('Progress of the job', before)).toBeGreaterThanOrEqual(before);
    await desk.inTrouble(() =>
      phone.inTrouble(async () => {
        await stage.system.restart();
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
    stage.isWell();
  }, 180_000);

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
    stage.isWell();
  });

  test('goes on in a player that lost the edge while it was made', async () => {
    await throughARestart(stage);
    stage.isWell();
  }, 120_000);
});

describe('a job', () => {
  test('that fails says why and what to do, can be retried, and is deleted in both tabs', async () => {
    await Promise.all([desk, phone].map((tab) => tab.page.goto(stage.system.url)));
    await desk.page.setInputFiles('[data-testid=files]', {
      ...{ name: 'notes.mp4', mimeType: 'video/mp4' },
      buffer: Buffer.from('This is no video.'),
    });
    await desk.sees('Failed: it is not a video');
    await lookAgain(phone);
    await phone.sees('Failed: it is not a video');
    await phone.isAccessible();
    await phone.page.getByText('Done', { exact: true }).first().click();
    await phone.misses('notes.mp4');
    await phone.page.getByPlaceholder('Name begins with').fill('no such');
    await phone.sees('No video is like that.');
    await phone.page.getByPlaceholder('Name begins with').fill('NOTES');
    await phone.page.getByText('All', { exact: true }).first().click();
    await phone.sees('Failed: it is not a video');
    await phone.inTrouble(async () => {
      await phone.page.context().setOffline(true);
      await phone.sees('You are offline.');
      await phone.page.context().setOffline(false);
      await phone.page.getByText('You are offline.').waitFor({ state: 'detached' });
    });
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
    await phone.page.getByPlaceholder('Name begins with').fill('');
    stage.isWell();
  }, 120_000);

  test('is cancelled and retried in one tab, and the other follows', async () => {
    const id = await stage.system.submit(new Uint8Array(stage.long), 'draft.mp4');
    await desk.page.goto(`${stage.system.url}/jobs/${id}`);
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
      await fetch(`${stage.system.url}/jobs/${id}`, { method: 'DELETE' });
      await desk.sees('There is no such video');
    });
    await desk.isAccessible();
    stage.isWell();
  });
});

test('by keys alone a video is uploaded, played and deleted', async () => {
  const { page } = desk;
  await page.bringToFront();
  await page.goto(stage.system.url);
  await desk.sees('Drop videos here');
  const chooser = page.waitForEvent('filechooser');
  await desk.tabTo(/^Choose files$/);
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(stage.short);
  await page.locator('.row', { hasText: 'short.mp4' }).waitFor();
  await page.locator('.upload').waitFor({ state: 'detached' });
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
  stage.isWell();
});

test('a frame in a page of another site shows the player; the app itself is in no frame', () => inFrames(stage));

test('where access is closed, a key opens the app, and what is shared holds a token', () => behindAKey(stage));
