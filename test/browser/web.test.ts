/**
 * The web app as people use it, in a real Chromium on the real edge with a real transcoder: one system and one browser
 * for all of it, because both are slow to start. Encoders keep a set pace, so that "while it runs" is long enough to
 * look, and no longer, on any machine.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { behindAKey, inFrames } from './web/elsewhere.ts';
import { loseTheEdge } from './web/restart.ts';
import { openStage, type Stage } from './web/stage.ts';
import { LIMIT_MS, type Tab } from './web/tab.ts';

/** Fewer than these would be no page. */
const LEAST_BYTES = 30_000;
const MOST_BYTES = 200_000;

/** For what the page learns by asking again. */
const PATIENCE = { timeout: LIMIT_MS };

let stage: Stage;
let desk: Tab;
let phone: Tab;
beforeAll(async () => {
  stage = await openStage();
  ({ desk, phone } = stage);
});
afterAll(() => stage?.close());
beforeEach(async () => {
  await Promise.all([desk.clear(), phone.clear()]);
});

const isLog = ({ pathname }: URL): boolean => pathname.endsWith('/events');

/** Comes back to the page, which reads what is new at once. */
const lookAgain = (tab: Tab): Promise<void> => tab.page.evaluate(() => void window.dispatchEvent(new Event('focus')));

/** Whether a job's page says in its title that it is further than so many percent. */
function isFurther(percent: number): boolean {
  const [, now] = /^(\d+) %/.exec(document.title) ?? [];
  return now === undefined ? document.title.startsWith('Done') : Number(now) > percent;
}

/** From the list to the first picture, with Play pressed before it was there, and again after a reload. */
async function playsAndReloads(tab: Tab, id: string): Promise<void> {
  const { page } = tab;
  await tab.inTrouble(async () => {
    await page.route('**/*.m3u8', (route) => route.abort());
    await page.goto(stage.system.url);
    await page.locator(`.row a[href="/jobs/${id}"]`).click();
    await tab.sees('It is tried again.');
    await tab.press('Play');
    await page.unroute('**/*.m3u8');
  });
  await tab.playsOn(0);
  expect(await page.title()).toMatch(/^\d+ % · sea\.mp4/);
  expect((await tab.loaded()).names.some((name) => name.includes('player'))).toBe(true);
  const before = await tab.percent('Progress of the job', 11);
  await page.locator('.rendition .bar').first().waitFor();
  await tab.isAccessible();
  await tab.withheld(isLog, async () => {
    await page.reload();
    await tab.pictured();
    await page.waitForFunction(isFurther, before);
  });
  await tab.press('Event log');
  await page.getByLabel('Show progress too').check();
  await page.locator('.events__one').nth(10).waitFor();
  const known = async () => Number(await page.locator('.events__toggle .soft').textContent());
  await expect.poll(async () => (await known()) - (await stage.logged(id)), PATIENCE).toBe(0);
}

describe('a video', () => {
  test('is dropped on a page that is small, and its upload goes on after a reload', async () => {
    await desk.page.goto(stage.system.url);
    await desk.sees('There is no video yet.');
    await desk.isAccessible();
    const first = await desk.loaded();
    expect(first.bytes).toBeGreaterThan(LEAST_BYTES);
    expect(first.bytes).toBeLessThan(MOST_BYTES);
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
    await desk.inTrouble(async () => {
      await desk.page.route('**/jobs/*', (route) => route.abort());
      await desk.press('Cancel the upload');
      await desk.sees('The server does not answer.');
      await desk.sees('Paused at');
      await desk.page.unroute('**/jobs/*');
    });
    expect(await desk.uploads()).toBeGreaterThan(0);
    await desk.press('Cancel the upload');
    await desk.page.getByText('mistake.mp4').first().waitFor({ state: 'detached' });
    await desk.sendSlowly(null);
    await desk.page.locator('.upload').waitFor({ state: 'detached' });
    await expect.poll(() => desk.uploads(), PATIENCE).toBe(0);
    await expect.poll(async () => (await stage.jobs()).map(({ key }) => key), PATIENCE).toEqual(['sea.mp4']);
    stage.isWell();
  }, 120_000);

  test('shows its first picture while it is made, to two tabs, through a reload and a restart of the edge', async () => {
    const id = await stage.sea(true);
    const url = `${stage.system.url}/jobs/${id}`;
    await phone.inTrouble(async () => {
      const [comeBack] = await Promise.all([loseTheEdge(phone, url), playsAndReloads(desk, id)]);
      await desk.inTrouble(async () => {
        await stage.system.restart();
        await comeBack();
        await lookAgain(phone);
        await Promise.all([desk.titled(/^Done/), phone.titled(/^Done/)]);
      });
    });
    for (const tab of [desk, phone]) {
      await expect
        .poll(() => tab.page.getByRole('combobox', { name: 'Quality' }).locator('option').allTextContents(), PATIENCE)
        .toContain('360p');
      await tab.sees('VMAF');
    }
    expect(await desk.time()).toBe(0);
    await desk.sees('Processing complete');
    await Promise.all([desk.isAccessible(), phone.isAccessible()]);
    stage.isWell();
  }, 180_000);

  test('is played: with keys, by quality, to thumbnails', async () => {
    await desk.page.goto(`${stage.system.url}/jobs/${await stage.sea()}`);
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
    await desk.press(/^Copy.*HLS/);
    await desk.sees('Copied');
    const copied = await desk.page.evaluate(() => navigator.clipboard.readText());
    expect((await fetch(copied)).status).toBe(200);
    stage.isWell();
  });
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
      .locator('.events__type', { hasText: /^error$/ })
      .nth(1)
      .waitFor();
    await desk.sees('Export it as MP4');
    await desk.press('Delete');
    await desk.isAccessible();
    // Who asks for it at this moment is told that it is gone.
    await phone.inTrouble(() =>
      desk.inTrouble(async () => {
        await desk.press('Delete the video');
        await desk.sees('Drop videos here');
        await lookAgain(phone);
        await phone.misses('notes.mp4');
      }),
    );
    await phone.page.getByPlaceholder('Name begins with').fill('');
    stage.isWell();
  }, 120_000);

  test('is cancelled and retried in one tab, and the other follows', async () => {
    const id = await stage.system.submit(new Uint8Array(stage.long), 'draft.mp4');
    await Promise.all([desk.page.goto(`${stage.system.url}/jobs/${id}`), phone.page.goto(stage.system.url)]);
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
  await desk.inTrouble(async () => {
    await page.keyboard.press('Enter');
    await desk.sees('Drop videos here');
  });
  await desk.misses('short.mp4');
  stage.isWell();
});

test('a frame in a page of another site shows the player; the app itself is in no frame', () => inFrames(stage));

test('where access is closed, a key opens the app, and what is shared holds a token', () => behindAKey(stage));
