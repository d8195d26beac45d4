/** The web app where it is not at home: in frames of other sites, and on a server that is closed. */
import { expect } from 'vitest';
import { NewApiKey } from '../../../src/contract/access.ts';
import type { Stage } from './stage.ts';
import { Tab } from './tab.ts';

/** A frame shows the player to everybody, and the app to nobody. */
export async function inFrames(stage: Stage): Promise<void> {
  const id = await stage.sea();
  const page = await stage.browser.newPage();
  await page.goto(stage.pages.url);
  const frameOf = async (path: string) => {
    await page.evaluate((src) => {
      document.body.replaceChildren(Object.assign(document.createElement('iframe'), { src, width: 640, height: 360 }));
    }, stage.system.url + path);
    return page.frameLocator('iframe');
  };
  const frame = await frameOf(`/watch/${id}`);
  await frame.getByRole('button', { name: 'Play' }).click();
  await frame
    .locator('video')
    .evaluate((video) => new Promise((resolve) => video.addEventListener('timeupdate', resolve)));
  const refused = page.waitForEvent('console', (message) => /frame-ancestors|X-Frame-Options/.test(message.text()));
  await frameOf('/');
  await refused;
  await page.close();
}

/** From here on the system is closed. */
export async function behindAKey(stage: Stage): Promise<void> {
  const made = await fetch(`${stage.system.url}/keys`, { method: 'POST', body: '{"name":"web","role":"admin"}' });
  const { key } = NewApiKey.parse(await made.json());
  const id = await stage.sea();
  await stage.desk.page.goto(stage.system.url);
  await stage.desk.inTrouble(async () => {
    await stage.system.restart({ REELWIRE_OPEN: '', TOKEN_SECRET: 'a secret', TRANSCODER_TOKEN: 'another one' });
    await stage.desk.page.goto(`${stage.system.url}/jobs/${id}`);
    await stage.desk.sees('This server is closed.');
    await stage.desk.isAccessible();
    await stage.desk.page.getByLabel('Key').fill(`rw_${'0'.repeat(12)}_${'0'.repeat(48)}`);
    await stage.desk.press('Sign in');
    await stage.desk.sees('There is no such key');
  });
  await stage.desk.page.getByLabel('Key').fill(key);
  await stage.desk.press('Sign in');
  await stage.desk.pictured();
  await stage.desk.press(/^Copy.*Embed/);
  await stage.desk.sees('Copied');
  const snippet = await stage.desk.page.evaluate(() => navigator.clipboard.readText());
  const stranger = await Tab.open(stage.browser, /src="([^"]+)"/.exec(snippet)?.[1] ?? '');
  await stranger.pictured();
  await stranger.isAccessible();
  expect(stranger.problems).toEqual([]);
  await stranger.close();
  await stage.desk.press(/^Sign out/);
  await stage.desk.sees('This server is closed.');
  expect(stage.desk.problems).toEqual([]);
}
