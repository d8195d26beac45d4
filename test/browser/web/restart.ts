/**
 * A player that loses the edge while the video is being made. Its playlists cannot be read from its first picture until
 * the edge has been started again, and it hears nothing of the job, so that only its own asking makes it go on.
 */
import { expect } from 'vitest';
import type { Stage } from './stage.ts';

const isNews = (url: URL): boolean => /^\/(streams|jobs(?!.*\/outputs\/))/.test(url.pathname);

export async function throughARestart({ system, long, phone }: Stage): Promise<void> {
  const { page } = phone;
  const id = await system.submit(new Uint8Array(long), 'river.mp4');
  await phone.inTrouble(async () => {
    const asked = page.waitForRequest('**/*.m4s');
    await phone.withheld('**/*.m4s', async () => {
      await page.goto(`${system.url}/jobs/${id}`);
      await asked;
      await page.route('**/*.m3u8', (route) => route.abort());
      await phone.press('Play');
      await phone.press('Pause');
      await page.getByRole('button', { name: 'Play' }).waitFor();
    });
    await phone.pictured();
    expect(await page.locator('video').evaluate((video: HTMLVideoElement) => video.paused)).toBe(true);
    const refused = page.waitForEvent('requestfailed', (request) => request.url().endsWith('.m3u8'));
    await phone.press('Play');
    await phone.playsOn();
    const loaded = await phone.loadedTo();
    expect(loaded).toBeLessThan(11);
    await refused;
    await page.route(isNews, (route) => route.abort());
    await system.restart();
    await page.unroute('**/*.m3u8');
    await phone.playsOn(loaded);
    await page.unroute(isNews);
    await page.goto(system.url);
  });
  await fetch(`${system.url}/jobs/${id}`, { method: 'DELETE' });
}
