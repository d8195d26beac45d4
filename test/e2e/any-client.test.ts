/**
 * Whoever follows a job through a network that keeps cutting connections handles each entry exactly once. In Node: the
 * `eventsource` package, left to itself, and our SDK. Browsers: test/browser/follow.test.ts.
 */
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EventName, Reelwire } from '../../client/index.ts';
import { type Heard, listen } from '../browser/page/listen.ts';
import { DrivenJob, EVENTS } from './driven-job.ts';
import { complaints } from './exactly-once.ts';
import { System } from './system.ts';
import { handlesEachOnce, LIMIT_MS } from './through-cuts.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());

const withEventSource = (edge: string, job: string): Promise<Heard[]> =>
  listen(new EventSource(`${edge}/jobs/${job}/stream?last_event_id=0`), EVENTS);

async function withHandlers(edge: string, job: string): Promise<Heard[]> {
  const watch = new Reelwire({ url: edge }).watch(job);
  const heard: Heard[] = [];
  for (const name of ['status', ...EVENTS]) watch.on(name as EventName, (_, event) => heard.push(event));
  expect((await watch.done).event).toBe('complete');
  return heard;
}

async function withIterator(edge: string, job: string): Promise<Heard[]> {
  const heard: Heard[] = [];
  for await (const event of new Reelwire({ url: edge }).watch(job, { lastEventId: 0 })) heard.push(event);
  return heard;
}

async function overEventSource(edge: string, job: string): Promise<Heard[]> {
  const heard: Heard[] = [];
  for await (const event of new Reelwire({ url: edge, EventSource }).watch(job, { lastEventId: 0 })) heard.push(event);
  return heard;
}

describe('through a network that cuts connections', () => {
  test.concurrent.for([
    ['the eventsource package', withEventSource],
    ['our SDK, by handlers', withHandlers],
    ['our SDK, by iterator, from the first entry', withIterator],
    ['our SDK over an EventSource', overEventSource],
  ] as const)(
    '%s handles each entry once, in order, and ends with one complete',
    { timeout: LIMIT_MS },
    ([, follow], context) => handlesEachOnce(system.url, follow, context),
  );
});

describe('the judge', () => {
  const heardIn = (log: Awaited<ReturnType<DrivenJob['log']>>): Heard[] =>
    log.map(({ seq, type, data }) => ({ id: seq, event: type, data }));

  async function loggedJob(): Promise<Awaited<ReturnType<DrivenJob['log']>>> {
    const job = await DrivenJob.submit(system.url);
    await job.begin();
    await job.tell(3);
    await job.complete();
    return job.log();
  }

  test('accepts the log itself, from any status on, with or without superseded progress', async () => {
    const log = await loggedJob();
    expect(complaints(log, heardIn(log))).toEqual([]);
    const begun = [{ id: 3, event: 'status', data: {} }, ...heardIn(log).filter(({ id }) => id > 3)];
    expect(complaints(log, begun)).toEqual([]);
    const stages = log.filter(({ type }) => type === 'progress').map(({ data }) => data.stage);
    const superseded = log.find(
      ({ type, data }) => type === 'progress' && stages.filter((s) => s === data.stage).length > 1,
    );
    expect(superseded).toBeDefined();
    expect(complaints(log, heardIn(log.filter((entry) => entry !== superseded)))).toEqual([]);
  });

  test('notices an entry that is missing, repeated, out of place or changed', async () => {
    const log = await loggedJob();
    const at = log.findIndex(({ type }) => type === 'warning');
    const heard = heardIn(log);
    const warning = heard.slice(at, at + 1);
    expect(complaints(log, heard.toSpliced(at, 1))).toHaveLength(1);
    expect(complaints(log, heard.slice(0, -1))).toHaveLength(1);
    expect(complaints(log, heard.toSpliced(at, 0, ...warning))).toHaveLength(1);
    expect(complaints(log, heard.toSpliced(at, 1).toSpliced(at + 1, 0, ...warning))).toHaveLength(1);
    expect(complaints(log, heard.with(at, { id: at + 1, event: 'warning', data: {} }))).not.toHaveLength(0);
  });
});
