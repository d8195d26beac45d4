/**
 * Where the web app is played through: one system with a transcoder that keeps a set pace, one browser, two people in
 * front of it, at a desk and with a phone.
 */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import { EventsPage, JobsPage } from '../../../src/contract/api.ts';
import { System } from '../../e2e/system.ts';
import { Clips } from '../../transcoder/clips.ts';
import { openChromium } from '../chromium.ts';
import { PacedTranscoder } from '../paced.ts';
import { type Pages, servePages } from '../pages.ts';
import { flow } from './clips.ts';
import { PHONE, Tab } from './tab.ts';

const SIZE = [640, 360] as const;
/** Pictures a second: few, because each is encoded and compared. */
const RATE = 12;

interface Parts {
  system: System;
  browser: Browser;
  /** Pages of another site. */
  pages: Pages;
  clips: Clips;
  transcoder: PacedTranscoder;
  /** A video of twelve seconds, and the path of one of two. */
  long: Buffer;
  short: string;
  desk: Tab;
  phone: Tab;
}

export interface Stage extends Parts {
  jobs(): Promise<JobsPage['jobs']>;
  /**
   * The id of `sea.mp4`, which the first test uploads and the others look at; it is uploaded if it is not there, or is
   * done although it is to be watched while it is made.
   */
  sea(isUnfinished?: boolean): Promise<string>;
  /** How many entries the job's log has, without those that are internal. */
  logged(id: string): Promise<number>;
  /** Nothing went wrong in either tab that was not meant to. */
  isWell(): void;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const start = [System.start(), openChromium(), Clips.open(), servePages()] as const;
  const [system, browser, clips, pages] = await Promise.all(start);
  const clip = (name: string, seconds: number) => flow(clips, name, SIZE.join('x'), seconds, 1, RATE);
  const [path, short] = await Promise.all([clip('long.mp4', 12), clip('short.mp4', 2)]);
  const pace = { size: SIZE, top: 1.1, rest: 3 };
  const transcoder = await PacedTranscoder.start(system.url, clips, pace);
  const blank = 'about:blank';
  const [desk, phone] = await Promise.all([Tab.open(browser, blank), Tab.open(browser, blank, PHONE)]);
  const long = await readFile(path);
  const jobs = async () => JobsPage.parse(await (await fetch(`${system.url}/jobs`)).json()).jobs;
  return {
    ...{ system, browser, clips, pages, transcoder, long, short, desk, phone, jobs },
    async sea(isUnfinished = false) {
      const isFit = ({ key, status }: JobsPage['jobs'][number]) =>
        key === 'sea.mp4' && !(isUnfinished && status === 'completed');
      const known = (await jobs()).find(isFit);
      return known?.id ?? system.submit(new Uint8Array(long), 'sea.mp4');
    },
    async logged(id) {
      const answer = await fetch(`${system.url}/jobs/${id}/events?limit=1000`);
      const { events } = EventsPage.parse(await answer.json());
      return events.filter(({ type }) => !type.startsWith('_')).length;
    },
    isWell: () => expect([...desk.problems, ...phone.problems]).toEqual([]),
    async close() {
      await Promise.all([desk.close(), phone.close()]);
      await transcoder.stop();
      await Promise.all([system.stop(), browser.close(), clips.close(), pages.close()]);
    },
  };
}
