/** Options are checked where they are given. */
import { EventSource } from 'eventsource';
import { expect, test } from 'vitest';
import { Reelwire, type ReelwireOptions, type WatchOptions } from '../../client/index.ts';
import { stream, told } from './faulty.ts';
import { faulty, JOB } from './watching.ts';

const url = 'http://localhost:8787';

test.each<[string, unknown]>([
  ['url', {}],
  ['url', { url: '/api' }],
  ['url', { url: 'ftp://localhost' }],
  ['url', { url: 'http://user:secret@localhost' }],
  ['url', { url: 'http://localhost/?a=b' }],
  ['maxAttempts', { url, maxAttempts: -1 }],
  ['maxAttempts', { url, maxAttempts: 1.5 }],
  ['maxAttempts', { url, maxAttempts: Number.NaN }],
  ['maxAttempts', { url, maxAttempts: '5' }],
  ['getToken', { url, getToken: 'secret' }],
  ['fetch', { url, fetch: {} }],
  ['EventSource', { url, EventSource: new EventTarget() }],
  ['delay', { url, delay: 1000 }],
  ['no option getTokn', { url, getTokn: () => 't' }],
])('a client with a wrong %s: %o', (name, options) => {
  expect(() => new Reelwire(options as ReelwireOptions)).toThrow(new RegExp(`^new Reelwire\\(\\): .*${name}`));
});

test.each<[string, unknown]>([
  ['lastEventId', { lastEventId: -1 }],
  ['lastEventId', { lastEventId: 'seven' }],
  ['lastEventId', { lastEventId: '' }],
  ['signal', { signal: new AbortController() }],
  ['maxAttempts', { maxAttempts: -1 }],
  ['no option after', { after: 7 }],
])('a watch with a wrong %s: %o', (name, options) => {
  const client = new Reelwire({ url });
  expect(() => client.watch(JOB, options as WatchOptions)).toThrow(new RegExp(`^watch\\(\\): .*${name}`));
});

test('a job id has to be one', () => {
  expect(() => new Reelwire({ url }).watch('')).toThrow('job id');
});

test('good ones are taken: a server below a path, every option, options left undefined', async () => {
  const server = await faulty(stream(told(1, 'complete')), stream(told(8, 'complete')));
  const options: Required<Omit<ReelwireOptions, 'EventSource'>> = {
    url: `${server.url}/video//`,
    getToken: () => null,
    fetch,
    delay: async () => undefined,
    maxAttempts: Number.POSITIVE_INFINITY,
  };
  await new Reelwire(options).watch(JOB, { lastEventId: 0, signal: new AbortController().signal, maxAttempts: 0 }).done;
  const loose = { ...options, getToken: undefined, fetch: undefined } as unknown as ReelwireOptions;
  await new Reelwire({ ...loose, EventSource }).watch(JOB, { lastEventId: '7' }).done;
  expect(server.requests.map((request) => request.url)).toEqual([
    `/video/jobs/${JOB}/stream`,
    `/video/jobs/${JOB}/stream?last_event_id=7`,
  ]);
});
