/**
 * What an environment needs, read from wrangler.toml alone. A queue that the Worker sends to and does not consume is
 * one that transcoders pull; those share one dead-letter queue, which is named after the first of them.
 */
import { join } from 'node:path';
import { unstable_readConfig } from 'wrangler';
import { z } from 'zod';
import { Refusal } from '../main.ts';
import { ROOT } from '../paths.mjs';
import type { DeployOptions } from './options.ts';

export interface Wanted {
  env: string;
  /** The Worker's name at Cloudflare. */
  worker: string;
  /** The account's id, if wrangler.toml says it. */
  account: string | null;
  buckets: string[];
  /** Every queue, those of dead letters first. */
  queues: string[];
  /** Queues that are pulled over HTTP, by the binding that the Worker sends with. */
  pulled: { binding: string; queue: string; deadLetters: string }[];
  databases: { binding: string; name: string }[];
  secrets: string[];
  domain: string | null;
  /** Where users reach it, without a slash at its end; null: only wrangler will know. */
  address: string | null;
  isReachable: boolean;
}

const Route = z.union([z.string(), z.object({ pattern: z.string() }).transform(({ pattern }) => pattern)]);

/** What is found by its name needs one. */
const Config = z.object({
  name: z.string(),
  account_id: z.string().optional(),
  r2_buckets: z.array(z.object({ bucket_name: z.string() })),
  d1_databases: z.array(z.object({ binding: z.string(), database_name: z.string() })),
  queues: z.object({
    producers: z.array(z.object({ binding: z.string(), queue: z.string() })).default([]),
    consumers: z.array(z.object({ queue: z.string(), dead_letter_queue: z.string().optional() })).default([]),
  }),
  secrets: z.object({ required: z.array(z.string()).default([]) }).default({ required: [] }),
  routes: z.array(Route).default([]),
  route: Route.optional(),
  workers_dev: z.boolean().optional(),
});

export type Source = Pick<DeployOptions, 'env' | 'domain' | 'url'>;

export function readWanted({ env, domain, url }: Source, path = join(ROOT, 'wrangler.toml')): Wanted {
  const { success, data, error } = Config.safeParse(read(path, env));
  if (!success) throw new Refusal(`wrangler.toml, environment ${env}:\n${z.prettifyError(error)}`, 2);
  const { producers, consumers } = data.queues;
  const sent = producers.map(({ queue }) => queue);
  const consumed = consumers.map(({ queue }) => queue);
  const toPull = producers.filter(({ queue }) => !consumed.includes(queue));
  const pulled = toPull.map((one) => ({ ...one, deadLetters: `${toPull[0]?.queue}-dead` }));
  const dead = [
    ...pulled.map(({ deadLetters }) => deadLetters),
    ...consumers.flatMap((one) => one.dead_letter_queue ?? []),
  ];
  const routes = [...data.routes, ...(data.route === undefined ? [] : [data.route])];
  const host = domain ?? routes.map(hostOf).find((one) => one !== null) ?? null;
  return {
    ...{ env, worker: data.name, account: data.account_id ?? null, domain, pulled },
    buckets: data.r2_buckets.map(({ bucket_name }) => bucket_name),
    queues: [...new Set([...dead, ...sent, ...consumed])],
    databases: data.d1_databases.map(({ binding, database_name }) => ({ binding, name: database_name })),
    secrets: data.secrets.required,
    address: url ?? (host === null ? null : `https://${host}`),
    isReachable: url !== null || host !== null || data.workers_dev === true,
  };
}

function read(path: string, env: string): unknown {
  try {
    return unstable_readConfig({ config: path, env }, { hideWarnings: true });
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message.trim() : String(error), 2);
  }
}

/** The host of a route, if it is one host: not of `*.example.com/*`. */
function hostOf(pattern: string): string | null {
  const host = pattern.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === '' || host.includes('*') ? null : host;
}

export const noAddress = (env: string): Refusal =>
  new Refusal(
    `Nothing says at which address the server is to be reached. Use --domain video.example.com (a name in a zone of \
this account), or write into [env.${env}] of wrangler.toml either
  routes = [{ pattern = "video.example.com", custom_domain = true }]
or, for a first try, workers_dev = true. If something else leads there, name it with --url.`,
  );
