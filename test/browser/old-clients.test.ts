/**
 * Pages written for older services follow our jobs in a real browser: the clients of docs/migrating.md, which shows the
 * very files that run here. None may throw; connections that are lost must never be taken for jobs that failed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { VisibleEntry } from '../../src/contract/entries.ts';
import { CuttingProxy } from '../e2e/cutting-proxy.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { complaints } from '../e2e/exactly-once.ts';
import { ROOT, System } from '../e2e/system.ts';
import { completeThrough, WITHIN_BYTES } from '../e2e/through-cuts.ts';
import { openChromium } from './chromium.ts';
import type { Client, Noted } from './page/clients.ts';
import { type Pages, servePages } from './pages.ts';

const STAGES = ['uploading', 'transcoding', 'validation', 'packaging', 'storage', 'completed'];
const NOT_MEDIA = { code: 'not_media', message: 'This file is no video.', retryable: false } as const;

let system: System;
let pages: Pages;
let browser: Browser;
beforeAll(async () => {
  [system, pages, browser] = await Promise.all([System.start(), servePages(), openChromium()]);
});
afterAll(async () => {
  await Promise.all([browser.close(), pages.close()]);
  await system.stop();
});

let page: Page;
const thrown: string[] = [];
beforeEach(async () => {
  thrown.length = 0;
  page = await browser.newPage();
  page.on('pageerror', ({ message }) => thrown.push(message));
  await page.goto(new URL('clients.html', pages.url).href);
});
afterEach(async () => {
  await page.close();
  expect(thrown).toEqual([]);
});

const start = (client: Client, edge: string, job: string): Promise<void> =>
  page.evaluate((args) => window.clients.start(...args), [client, edge, job] as const);

/** Everything that was noted, as soon as `by` is among it. */
async function until(by: string): Promise<Noted[]> {
  await page.waitForFunction((wanted) => window.clients.noted.some((noted) => noted.by === wanted), by);
  return page.evaluate(() => window.clients.noted);
}

/** A network that makes so many cuts, each within so many bytes; it lasts as long as the test. */
async function badNetwork(cuts: number, within: number): Promise<CuttingProxy> {
  const proxy = await CuttingProxy.start(system.url, { seed: 1, cuts, within });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** What a client noted of a job, up to `complete`, through a network that cuts so many of its connections. */
async function completeThroughCuts(client: Client, cuts: number): Promise<{ noted: Noted[]; log: VisibleEntry[] }> {
  const proxy = await badNetwork(cuts, WITHIN_BYTES);
  const job = await DrivenJob.submit(system.url);
  await start(client, proxy.url, job.id);
  await completeThrough(proxy, job);
  return { noted: await until('complete'), log: await job.log() };
}

const allBy = (noted: Noted[], by: string): Noted[] => noted.filter((one) => one.by === by);

describe('a page that knows status, progress and done, and takes every error for the end', () => {
  test('uploads a form, sees every stage and ends in success', async () => {
    const id = await page.evaluate((edge) => window.clients.upload(edge, 'clip.mp4', 'no video'), system.url);
    const job = new DrivenJob(system.url, id);
    expect((await system.job(id)).key).toBe('clip.mp4');
    await start('untilDone', system.url, id);
    await until('progress');
    await job.begin();
    await job.complete();
    const noted = await until('done');
    expect(allBy(noted, 'error')).toEqual([]);
    expect([...new Set(allBy(noted, 'progress').map(({ data }) => data.stage))]).toEqual(STAGES);
    expect(noted.at(-2)?.data).toMatchObject({ progress: 100, stage: 'completed' });
    expect(allBy(noted, 'progress').every(({ data }) => data.message !== '')).toBe(true);
  });

  test('learns of a failure', async () => {
    const job = await DrivenJob.submit(system.url);
    await start('untilDone', system.url, job.id);
    await job.begin();
    await job.fail(NOT_MEDIA);
    expect(allBy(await until('error'), 'done')).toEqual([]);
  });
});

describe('a page that knows complete and error', () => {
  test('is not disturbed by lost connections and gets the result', async () => {
    const { noted } = await completeThroughCuts('completeOrError', 2);
    expect(noted.at(-1)?.data).toMatchObject({ status: 'completed', details: { result: { duration_seconds: 4 } } });
    expect(noted.filter(({ by }) => by !== 'progress')).toHaveLength(1);
  });

  test.each([
    ['a failure', (job: DrivenJob) => job.fail(NOT_MEDIA), { status: 'failed', details: { code: 'not_media' } }],
    ['a cancel', (job: DrivenJob) => job.cancel(), { status: 'cancelled' }],
  ])('learns of %s', async (_, end, expected) => {
    const job = await DrivenJob.submit(system.url);
    await start('completeOrError', system.url, job.id);
    await job.begin();
    await end(job);
    const noted = await until('failure');
    expect(noted.at(-1)?.data).toMatchObject(expected);
    expect(allBy(noted, 'refused')).toEqual([]);
  });

  test('learns that there is no such job', async () => {
    await start('completeOrError', system.url, crypto.randomUUID());
    expect(await until('refused')).toHaveLength(1);
  });
});

describe('a class with on, close and reconnects of its own', () => {
  test('handles each entry once through lost connections', async () => {
    const { noted, log } = await completeThroughCuts('jobEvents', 8);
    expect(allBy(noted, 'reconnecting')).toHaveLength(8);
    const heard = noted.flatMap(({ by, data, id }) => (by === 'reconnecting' ? [] : { event: by, data, id: id ?? 0 }));
    expect(complaints(log, heard)).toEqual([]);
  });

  test('gives up after five attempts in a row, says so once, and makes none after close()', async () => {
    const proxy = await badNetwork(100, 1);
    const job = await DrivenJob.submit(system.url);
    await page.evaluate((args) => window.clients.closeWhenLost(...args), [proxy.url, job.id, 20] as const);
    await until('closed');
    expect(proxy.connections).toBe(1);
    await start('jobEvents', proxy.url, job.id);
    const noted = await until('lost');
    expect(allBy(noted, 'reconnecting').map(({ data }) => data.delay)).toEqual([20, 40, 80, 160, 320]);
    expect(allBy(noted, 'lost')).toHaveLength(1);
    expect(allBy(noted, 'error')).toEqual([]);
    expect(proxy.connections).toBe(1 + 6);
  });

  test('hears warnings and a cancel', async () => {
    const job = await DrivenJob.submit(system.url);
    await start('jobEvents', system.url, job.id);
    await until('status');
    await job.begin();
    await job.tell(1);
    await until('warning');
    await job.cancel();
    expect((await until('cancelled')).at(-1)?.data).toMatchObject({ status: 'cancelled' });
  });
});

test('a page with one handler that looks at the type is told everything', async () => {
  const job = await DrivenJob.submit(system.url);
  await start('oneHandler', system.url, job.id);
  const [status] = await until('status');
  await job.begin();
  await job.complete();
  const noted = await until('complete');
  const later = (await job.log()).filter(({ seq }) => seq > Number(status?.data.last_event_id));
  expect(noted.slice(1).map(({ by }) => by)).toEqual(later.map(({ type }) => type));
});

test('the documentation shows the files that ran here', async () => {
  const docs = await readFile(join(ROOT, 'docs/migrating.md'), 'utf8');
  const snippets = await readdir(join(ROOT, 'docs/snippets'));
  expect(snippets).toHaveLength(5);
  for (const name of snippets)
    expect(docs).toContain(`\`\`\`ts\n${await readFile(join(ROOT, 'docs/snippets', name), 'utf8')}\`\`\`\n`);
});
