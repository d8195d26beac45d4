/**
 * How smooth the web app is with two hundred jobs in its list, fifty of them telling something every second: measured in
 * a real Chromium, tasks by its tracing, interactions by what it tells the page. For the long tests: it wants a machine
 * that does nothing else.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { DrivenJob } from '../e2e/driven-job.ts';
import { System } from '../e2e/system.ts';
import { openChromium } from './chromium.ts';
import { Tab } from './web/tab.ts';

const JOBS = 200;
const BUSY = 50;
const SECONDS = 10;

/** Most that a task, and that an interaction until it is painted, may take, in ms. */
const LONGEST_TASK_MS = 50;
const LONGEST_INTERACTION_MS = 200;

const TRACED = { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] };

let system: System;
let browser: Browser;
beforeAll(async () => {
  [system, browser] = await Promise.all([System.start(), openChromium()]);
});
afterAll(async () => {
  await Promise.all([browser?.close(), system?.stop()]);
});

/** Notes how long interactions take until they are painted, from the first moment of a page. */
function observe(): void {
  const interactions: number[] = [];
  Object.assign(globalThis, { interactions });
  new PerformanceObserver((list) => {
    interactions.push(...list.getEntries().map(({ duration }) => Math.round(duration)));
  }).observe({ type: 'event', durationThreshold: 16, buffered: true } as PerformanceObserverInit);
}

const interactions = (): number[] => (globalThis as unknown as { interactions: number[] }).interactions;

/** Keeps the page busy for so long. */
const hold = (ms: number): Promise<void> =>
  new Promise((resolve) =>
    setTimeout(() => {
      for (const end = performance.now() + ms; performance.now() < end; );
      resolve();
    }),
  );

const Trace = z.object({
  traceEvents: z.array(
    z.object({
      name: z.string(),
      pid: z.number(),
      tid: z.number(),
      dur: z.number().optional(),
      args: z.object({ name: z.string().optional() }).loose().optional(),
    }),
  ),
});

/** How long each task of the pages' main threads took, in ms, the longest first. */
function tasksOf(trace: Buffer): number[] {
  const { traceEvents } = Trace.parse(JSON.parse(trace.toString()));
  const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const isMain = ({ pid, tid }: { pid: number; tid: number }) =>
    mains.some((main) => main.pid === pid && main.tid === tid);
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && isMain(event));
  return tasks.map(({ dur = 0 }) => dur / 1000).sort((one, other) => other - one);
}

test.runIf(process.env.REELWIRE_LONG === '1')(
  `with ${JOBS} jobs and ${BUSY} events a second no task is over ${LONGEST_TASK_MS} ms`,
  async () => {
    const jobs: DrivenJob[] = [];
    for (let i = 0; i < JOBS; i++) jobs.push(await DrivenJob.submit(system.url));
    const busy = jobs.slice(-BUSY);
    for (const job of busy) await job.begin();
    for (const job of jobs.slice(0, -BUSY)) await job.cancel();

    const tab = await Tab.open(browser, 'about:blank');
    await tab.page.addInitScript(observe);
    await browser.startTracing(tab.page, TRACED);
    await tab.page.goto(system.url);
    for (let page = 1; page < JOBS / 50; page++) {
      await tab.press('Show more');
      await tab.page.waitForFunction((rows) => document.querySelectorAll('.row').length >= rows, (page + 1) * 50);
    }
    const events = { told: 0 };
    const telling = busy.map(async (job) => {
      for (let second = 1; second <= SECONDS; second++) {
        const next = new Promise((resolve) => setTimeout(resolve, 1000));
        await job.tell(1);
        events.told += 1;
        await next;
      }
    });
    for (const state of ['Done', 'Running', 'All']) {
      await tab.page.getByText(state, { exact: true }).first().click();
      await tab.page.getByPlaceholder('Name begins with').pressSequentially('cli', { delay: 100 });
      await tab.page.getByPlaceholder('Name begins with').fill('');
    }
    await Promise.all(telling);
    const longest = tasksOf(await browser.stopTracing());
    const slowest = Math.max(0, ...(await tab.page.evaluate(interactions)));
    console.log(JSON.stringify({ ...events, tasks: longest.length, longest: longest.slice(0, 5), slowest }));

    // A page that is held is seen to be.
    await browser.startTracing(tab.page, TRACED);
    await tab.page.evaluate(hold, 2 * LONGEST_TASK_MS);
    expect(tasksOf(await browser.stopTracing())[0]).toBeGreaterThan(LONGEST_TASK_MS);

    expect(events.told).toBe(BUSY * SECONDS);
    expect(longest[0]).toBeLessThanOrEqual(LONGEST_TASK_MS);
    expect(slowest).toBeLessThanOrEqual(LONGEST_INTERACTION_MS);
    expect(tab.problems).toEqual([]);
    await tab.close();
  },
  180_000,
);
