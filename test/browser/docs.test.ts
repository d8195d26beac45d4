/** The reference in a real browser: it shows all routes, under a policy that it does not break, with nothing from elsewhere. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { System } from '../e2e/system.ts';
import { openChromium } from './chromium.ts';

let system: System;
let chromium: Browser;
beforeAll(async () => {
  [system, chromium] = await Promise.all([System.start(), openChromium()]);
});
afterAll(async () => {
  await chromium?.close();
  await system?.stop();
});

test('/docs shows the document without a complaint of the browser, and asks nobody else', async () => {
  const page = await chromium.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => asked.push(request.url().replace(system.url, '')));
  const answer = await page.goto(`${system.url}/docs`);
  expect(answer?.headers()['content-security-policy']).toContain("script-src 'self'");
  await page.getByText('Follow a job live (server-sent events)').first().waitFor();
  expect(complaints).toEqual([]);
  expect(asked.sort()).toEqual(['/docs', '/docs/rapidoc.js', '/openapi.json']);
});
