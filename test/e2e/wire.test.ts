/** The stream on the wire, as HTTP/1.1 clients that look closely see it: how it begins, and that it ends whole. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CuttingProxy } from './cutting-proxy.ts';
import { DrivenJob } from './driven-job.ts';
import { System } from './system.ts';

const WATCHERS = 50;
const ERROR = { code: 'not_media', message: 'This file is no video.', retryable: false } as const;

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());

/** Resolves with the head. */
async function open(edge: string, job: DrivenJob): Promise<IncomingMessage> {
  const headers = { 'Accept-Encoding': 'gzip, deflate, br, zstd' };
  const [answer] = await once(get(`${edge}/jobs/${job.id}/stream`, { headers, agent: false }), 'response');
  return answer as IncomingMessage;
}

/** All that came, and whether the body was whole: with chunked encoding, whether its last chunk came. */
async function read(answer: IncomingMessage): Promise<{ names: string[]; isWhole: boolean }> {
  let text = '';
  answer.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  answer.on('error', () => answer.destroy());
  await new Promise((resolve) => answer.once('close', resolve));
  const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name ?? '');
  return { names, isWhole: answer.complete };
}

test('the head comes before the job has anything to say, and nobody is asked to compress or hold back', async () => {
  const job = await DrivenJob.submit(system.url);
  const answer = await open(system.url, job);
  expect(answer.statusCode).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'transfer-encoding': 'chunked',
  });
  expect(answer.headers).not.toHaveProperty('content-encoding');
  expect(answer.headers).not.toHaveProperty('content-length');
  answer.destroy();
});

test.each<[string, string, (job: DrivenJob) => Promise<void>]>([
  ['completes', 'complete', (job) => job.complete()],
  ['fails', 'error', (job) => job.fail(ERROR)],
  ['is cancelled', 'cancelled', (job) => job.cancel()],
])('when a job %s, everybody gets the last event and then the end of a whole answer', async (_, last, end) => {
  const job = await DrivenJob.submit(system.url);
  await job.begin();
  const answers = await Promise.all(Array.from({ length: WATCHERS }, () => open(system.url, job)));
  const reading = answers.map(read);
  await job.tell(10);
  await end(job);
  for (const { names, isWhole } of await Promise.all(reading)) {
    expect(names.at(-1)).toBe(last);
    expect(names.filter((name) => name === 'warning')).toHaveLength(10);
    expect(isWhole).toBe(true);
  }
});

test('an answer that was cut off does not look whole', async () => {
  const proxy = await CuttingProxy.start(system.url, { seed: 3, cuts: 1, within: 2000 });
  onTestFinished(() => proxy.close());
  const job = await DrivenJob.submit(system.url);
  await job.begin();
  await job.complete();
  const { isWhole } = await read(await open(proxy.url, job));
  expect([isWhole, proxy.cuts]).toEqual([false, 1]);
});
