/**
 * The whole life of a job, by a client that was generated from the OpenAPI document: `node life.ts EDGE`. The name
 * `reelwire-api` stands for the generated types; nothing of it is left when the program runs. The transcoder's side is
 * driven by the program itself.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from 'reelwire-api';
import { DrivenJob } from '../e2e/driven-job.ts';

const edge = process.argv[2] ?? '';
const client = createClient<paths>({ baseUrl: edge });

type Job = components['schemas']['Job'];

/** What is there, or the problem as an error. */
async function there<T>(asked: Promise<{ data?: T; error?: unknown }>): Promise<NonNullable<T>> {
  const { data, error } = await asked;
  if (data === undefined || data === null) throw new Error(JSON.stringify(error));
  return data;
}

function expect(what: string, is: unknown, shouldBe: unknown): void {
  if (is !== shouldBe) throw new Error(`${what} is ${String(is)}, not ${String(shouldBe)}`);
  console.log(`${what}: ${String(is)}`);
}

async function submit(key: string): Promise<string> {
  const body = 'no video';
  const headers = { 'Content-Type': 'application/octet-stream' };
  const query = { key };
  const sent = client.POST('/process', { body, headers, params: { query }, bodySerializer: (text) => text });
  return (await there(sent)).job_id;
}

const path = (id: string) => ({ params: { path: { id } } });
const read = (id: string): Promise<Job> => there(client.GET('/jobs/{id}', path(id)));

/** The names of a job's events, to its end. */
async function follow(id: string): Promise<string[]> {
  const params = { path: { id }, header: { 'Last-Event-ID': '0' } };
  const stream = await there(client.GET('/jobs/{id}/stream', { params, parseAs: 'text' }));
  return [...String(stream).matchAll(/^event: (\w+)$/gm)].map(([, name = '']) => name);
}

const id = await submit('life');
const waiting: Job = await read(id);
expect('submitted, status', waiting.status, 'pending');
expect('quality', waiting.options.quality, 'standard');

const driven = new DrivenJob(edge, id);
const followed = follow(id);
await driven.begin();
await driven.complete();
const names: components['schemas']['StreamEvent']['event'][] = ['progress', 'playable', 'complete'];
for (const name of names) expect(`followed, ${name}`, (await followed).includes(name), true);

const done = await read(id);
expect('status', done.status, 'completed');
const outputs = { params: { path: { id, path: 'master.m3u8' } }, parseAs: 'text' } as const;
const master = await there(client.GET('/jobs/{id}/outputs/{path}', outputs));
expect('outputs, begin', String(master).slice(0, 7), '#EXTM3U');
const log = await there(client.GET('/jobs/{id}/events', { params: { path: { id }, query: { limit: 1 } } }));
expect('events, first', 'events' in log && log.events[0]?.seq, 2);
const { jobs } = await there(client.GET('/jobs', { params: { query: { q: 'life', status: 'completed' } } }));
expect('list', jobs[0]?.id, id);

const second = await submit('second life');
expect('cancelled', (await there(client.POST('/jobs/{id}/cancel', path(second)))).status, 'cancelled');
expect('retried', (await there(client.POST('/jobs/{id}/retry', path(second)))).status, 'pending');
const { error: refusal } = await client.POST('/jobs/{id}/retry', path(second));
expect('retried again', refusal?.code, 'invalid_state');
expect('deleted', (await there(client.DELETE('/jobs/{id}', path(second)))).status, 'deleted');
const { error: gone } = await client.GET('/jobs/{id}', path(second));
expect('after that', gone?.code, 'job_not_found');
