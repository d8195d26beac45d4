/**
 * Nothing on the way holds an event back: `curl -N` is told of each one before the next is logged, straight from the
 * edge and through an nginx with its default settings, where it is installed. A server that waits for a full buffer, or
 * a kernel that waits for more to send, would leave both sides waiting.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DrivenJob } from './driven-job.ts';
import { findProgram, Leashed } from './leashed.ts';
import { Nginx } from './nginx.ts';
import { System } from './system.ts';

const [CURL, NGINX] = [findProgram('curl'), findProgram('nginx', ['/usr/sbin', '/usr/local/sbin'])];
const EVENTS = 20;
if (!CURL || !NGINX) console.log('SKIPPED: curl through nginx. To have it tested, install nginx and curl.');

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());

/** Follows a job with curl, at `address`, and logs an event whenever the one before has arrived. */
async function inLockstep(curlPath: string, address: string): Promise<void> {
  const job = await DrivenJob.submit(system.url);
  await job.begin();
  const curl = new Leashed(curlPath, ['-sN', '--noproxy', '*', `${address}/jobs/${job.id}/stream`]);
  onTestFinished(() => curl.stop());
  const exited = once(curl.process, 'exit');
  if (!curl.process.stdout) throw new Error('curl has no stdout');
  const lines = createInterface({ input: curl.process.stdout })[Symbol.asyncIterator]();
  const arrival = async (event: string): Promise<void> => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error(`The stream ended before ${event}`);
      if (value === `event: ${event}`) return;
    }
  };
  await arrival('status');
  for (let n = 0; n < EVENTS; n++) {
    await job.tell(1);
    await arrival('warning');
  }
  await job.complete();
  await arrival('complete');
  expect(await exited).toEqual([0, null]);
}

test('straight from the edge', async ({ skip }) => {
  if (CURL === null) return skip('curl is not installed');
  await inLockstep(CURL, system.url);
});

test('through nginx with its default buffering', async ({ skip }) => {
  if (CURL === null || NGINX === null) return skip('nginx or curl is not installed');
  const nginx = await Nginx.start(NGINX, system.url);
  onTestFinished(() => nginx.stop());
  await inLockstep(CURL, nginx.url);
});
