/**
 * How often one may ask, by the platform's rate limiting bindings, which count per location and tell only yes or no.
 * Who has a key is counted by it, others by their address. Keys that are none are counted apart, and more tightly.
 */
import type { Context } from 'hono';
import type { App } from '../app.ts';
import { ProblemError } from '../problems.ts';
import type { Principal } from './principal.ts';

/** `period` of both bindings in wrangler.toml. */
const PERIOD_SECONDS = 60;

export async function countRequest(c: Context<App>, principal: Principal): Promise<void> {
  const key = principal.kind === 'key' ? `key ${principal.id}` : address(c);
  if (!(await c.env.REQUEST_LIMIT.limit({ key })).success) throw limited('Too many requests.');
}

export async function countFailedSignIn(c: Context<App>): Promise<void> {
  const { success } = await c.env.SIGN_IN_LIMIT.limit({ key: address(c) });
  if (!success) throw limited('Too many keys that are not valid came from this address.');
}

const address = (c: Context<App>): string => `address ${c.req.header('CF-Connecting-IP') ?? 'unknown'}`;

const limited = (what: string): ProblemError =>
  new ProblemError('rate_limited', `${what} Try again in a minute.`, { 'Retry-After': String(PERIOD_SECONDS) });
