/** What the account has of what an environment needs. */
import type Cloudflare from 'cloudflare';
import { z } from 'zod';
import { ask, everyPage } from './api.ts';
import type { Wanted } from './wanted.ts';

export interface Queue {
  id: string;
  isPulled: boolean;
  /** The Worker that consumes it. */
  consumer: string | null;
}

export interface Existing {
  /** The names of the lifecycle rules of each bucket. */
  buckets: Map<string, string[]>;
  databases: Set<string>;
  queues: Map<string, Queue>;
  secrets: Set<string>;
}

export const NOTHING: Existing = { buckets: new Map(), databases: new Set(), queues: new Map(), secrets: new Set() };

const Named = z.array(z.object({ name: z.string() }));
const Rules = z.array(z.object({ id: z.string() }));
const Consumer = z.object({
  type: z.string(),
  script: z.string().optional(),
  script_name: z.string().optional(),
  service: z.string().optional(),
});
const Queues = z.array(
  z.object({ queue_id: z.string(), queue_name: z.string(), consumers: z.array(Consumer).default([]) }),
);

export async function existing(cloudflare: Cloudflare, account_id: string, wanted: Wanted): Promise<Existing> {
  const [buckets, databases, queues, secrets] = await Promise.all([
    Promise.all(wanted.buckets.map((name) => bucket(cloudflare, account_id, name))),
    Promise.all(wanted.databases.map(({ name }) => database(cloudflare, account_id, name))),
    Promise.all(wanted.queues.map((name) => queue(cloudflare, account_id, name))),
    ask('secrets', () => cloudflare.workers.scripts.secrets.list(wanted.worker, { account_id })),
  ]);
  return {
    buckets: new Map(buckets.flatMap((one) => (one === null ? [] : [one]))),
    databases: new Set(databases.flat()),
    queues: new Map(queues.flatMap((one) => (one === null ? [] : [one]))),
    secrets: new Set(Named.parse(secrets?.result ?? []).map(({ name }) => name)),
  };
}

/** With its rules; null if it does not exist. */
async function bucket(cloudflare: Cloudflare, account_id: string, name: string): Promise<[string, string[]] | null> {
  const { buckets } = cloudflare.r2;
  if ((await ask('R2 buckets', () => buckets.get(name, { account_id }))) === null) return null;
  const found = await ask('the rules of R2 buckets', () => buckets.lifecycle.get(name, { account_id }));
  return [name, Rules.parse(found?.rules ?? []).map(({ id }) => id)];
}

/** The names of the databases that are called something like this. */
async function database(cloudflare: Cloudflare, account_id: string, name: string): Promise<string[]> {
  const all = await ask('D1 databases', () => everyPage(cloudflare.d1.database.list({ account_id, name })));
  return Named.parse(all ?? []).map((one) => one.name);
}

export async function queue(cloudflare: Cloudflare, account_id: string, name: string): Promise<[string, Queue] | null> {
  const answer = await ask('queues', () => cloudflare.queues.list({ account_id }, { query: { name } }));
  const found = Queues.parse(answer?.result ?? []).find(({ queue_name }) => queue_name === name);
  if (!found) return null;
  const worker = found.consumers.find(({ type }) => type === 'worker');
  const consumer = worker ? (worker.script ?? worker.script_name ?? worker.service ?? 'a Worker') : null;
  return [name, { id: found.queue_id, isPulled: found.consumers.some(({ type }) => type === 'http_pull'), consumer }];
}
