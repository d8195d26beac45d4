/**
 * A player that loses the edge while the video is being made. All it has seen of its playlists is their first segments,
 * however far the job is; then it can read none, and it hears nothing of the job, so that only its own asking makes it
 * go on.
 */
import { expect } from 'vitest';
import type { Tab } from './tab.ts';

const PLAYLISTS = '**/*.m3u8';
const SEGMENTS = '**/*.m4s';
const STREAMS = '**/streams?*';

const isJob = ({ pathname }: URL): boolean => /^\/jobs(?!.*\/outputs\/)/.test(pathname);

/** A playlist as it was when it had one segment; the master, which has none, as it is. */
const beginningOf = (playlist: string): string => /^.*?#EXTINF[^\n]*\n[^\n]*\n/s.exec(playlist)?.[0] ?? playlist;

/** Resolves when it plays what it has got; call what it gives when the edge is there again, to see it go on. */
export async function loseTheEdge(tab: Tab, url: string): Promise<() => Promise<void>> {
  const { page } = tab;
  await page.route(STREAMS, (route) => route.abort());
  await page.route(PLAYLISTS, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: beginningOf(await response.text()) });
  });
  const asked = page.waitForRequest(SEGMENTS);
  await tab.withheld(SEGMENTS, async () => {
    await page.goto(url);
    await asked;
    await page.route(isJob, (route) => route.abort());
    await tab.press('Play');
    await tab.press('Pause');
    await page.getByRole('button', { name: 'Play' }).waitFor();
  });
  await tab.pictured();
  expect(await page.locator('video').evaluate((video: HTMLVideoElement) => video.paused)).toBe(true);

  const refused = page.waitForEvent('requestfailed', (request) => request.url().endsWith('.m3u8'));
  await page.route(PLAYLISTS, (route) => route.abort());
  await refused;
  await tab.press('Play');
  await tab.playsOn(0);
  const loaded = await tab.loadedTo();
  expect(loaded).toBeLessThan(5);
  return async () => {
    await page.unroute(PLAYLISTS);
    await tab.playsOn(loaded);
    await page.unroute(STREAMS);
    await page.unroute(isJob);
  };
}
