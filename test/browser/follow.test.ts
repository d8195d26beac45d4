/**
 * A browser's own EventSource, left to itself, follows a job through a network that keeps cutting connections: in the
 * Chromium from npm, and in Firefox where `firefox-esr` is installed. Connections break behind the head of an answer:
 * without a whole head a browser may take the answer for another kind of document, and gives up for good.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { EVENTS } from '../e2e/driven-job.ts';
import { System } from '../e2e/system.ts';
import { type Follow, handlesEachOnce, LIMIT_MS } from '../e2e/through-cuts.ts';
import { openChromium } from './chromium.ts';
import { FIREFOX, Firefox } from './firefox.ts';
import type { Heard } from './page/listen.ts';
import { type Pages, servePages } from './pages.ts';

if (!FIREFOX) console.log('SKIPPED: Firefox follows a job. To have it tested, install firefox-esr.');

let system: System;
let pages: Pages;
let chromium: Browser;
let firefox: Firefox | null;
beforeAll(async () => {
  [system, pages, chromium, firefox] = await Promise.all([
    System.start(),
    servePages(),
    openChromium(),
    FIREFOX === null ? null : Firefox.open(FIREFOX),
  ]);
});
afterAll(async () => {
  await Promise.all([chromium.close(), firefox?.close(), pages.close()]);
  await system.stop();
});

/** More than the head of an answer. */
const HEAD_BYTES = 1000;

const streamOf = (edge: string, job: string): string => `${edge}/jobs/${job}/stream?last_event_id=0`;
const pageUrl = (): string => new URL('clients.html', pages.url).href;

async function withChromium(edge: string, job: string): Promise<Heard[]> {
  const page = await chromium.newPage();
  await page.goto(pageUrl());
  return page.evaluate((args) => window.clients.follow(...args), [streamOf(edge, job), EVENTS] as const);
}

async function withFirefox(edge: string, job: string): Promise<Heard[]> {
  await firefox?.visit(pageUrl());
  const args = [streamOf(edge, job), EVENTS].map((value) => JSON.stringify(value));
  return (await firefox?.evaluate(`window.clients.follow(${args.join()})`)) as Heard[];
}

test.concurrent.for<[string, boolean, Follow]>([
  ['Chromium', true, withChromium],
  ['Firefox', FIREFOX !== null, withFirefox],
])(
  '%s handles each entry once, in order, with one complete, and stops by itself',
  { timeout: LIMIT_MS },
  ([, isThere, follow], context) => {
    context.skip(!isThere, 'firefox-esr is not installed');
    return handlesEachOnce(system.url, follow, context, HEAD_BYTES);
  },
);
