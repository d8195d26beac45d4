/**
 * Cloudflare's API, for questions only: what is made, wrangler makes. It is asked with wrangler's own login, so there
 * is nothing else to set up. An answer that is a refusal becomes one that names the next step.
 */
import Cloudflare from 'cloudflare';
import { z } from 'zod';
import { refusalOf } from '../wrangler/advice.ts';
import type { Wrangler } from '../wrangler/child.ts';

const Login = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['oauth', 'api_token']), token: z.string() }),
  z.object({ type: z.literal('api_key'), key: z.string(), email: z.string() }),
]);

const ANSWER_WITHIN_MS = 30_000;

export async function api(wrangler: Wrangler): Promise<Cloudflare> {
  const login = await wrangler.json(Login, ['auth', 'token', '--json']);
  const credentials =
    login.type === 'api_key' ? { apiKey: login.key, apiEmail: login.email } : { apiToken: login.token };
  const baseURL = process.env.CLOUDFLARE_API_BASE_URL;
  return new Cloudflare({ ...credentials, ...(baseURL && { baseURL }), timeout: ANSWER_WITHIN_MS });
}

/** `null` when what is asked for does not exist. */
export async function ask<T>(what: string, question: () => Promise<T>): Promise<T | null> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof Cloudflare.NotFoundError) return null;
    if (!(error instanceof Cloudflare.APIError)) throw error;
    const words = error.errors.map(({ message, code }) => `  ${message} [code: ${code}]`).join('\n');
    throw refusalOf(`Asking for ${what}`, words || `  ${error.message}`);
  }
}

/** What a list has on all of its pages: the SDK asks for the next one until one is empty. */
export async function everyPage<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of list) all.push(one);
  return all;
}
