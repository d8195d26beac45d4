/**
 * Names to addresses by DNS over HTTPS, in the JSON form that Cloudflare and Google speak. The resolver follows CNAMEs;
 * their records are passed over here and only addresses are kept. IPv4 and IPv6 are asked for at once, and both must
 * be answered in full: with half of the addresses nobody could say that all of them are public.
 */
import { z } from 'zod';
import type { Guards, Resolve } from './url-guard.ts';

const DnsAnswer = z.object({
  Status: z.int(),
  TC: z.boolean(),
  Answer: z.array(z.object({ type: z.int(), data: z.string() })).default([]),
});

const RECORD_TYPES = { A: 1, AAAA: 28 } as const;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

type Send = (url: string, init: { headers: Record<string, string>; signal: AbortSignal }) => Promise<Response>;

export const dnsOverHttps =
  (endpoint: string, send: Send = (url, init) => fetch(url, init)): Resolve =>
  async (name, signal) => {
    const ask = async (type: keyof typeof RECORD_TYPES): Promise<string[]> => {
      const url = new URL(endpoint);
      url.searchParams.set('name', name);
      url.searchParams.set('type', type);
      const response = await send(url.href, { headers: { accept: 'application/dns-json' }, signal });
      if (!response.ok) throw new Error(`The resolver answered with ${response.status}`);
      const { Status, TC, Answer } = DnsAnswer.parse(await response.json());
      if (Status === NO_SUCH_NAME) return [];
      if (Status !== NO_ERROR || TC) throw new Error(`The resolver has no whole answer (status ${Status})`);
      return Answer.filter((record) => record.type === RECORD_TYPES[type]).map(({ data }) => data);
    };
    const [ipv4, ipv6] = await Promise.all([ask('A'), ask('AAAA')]);
    return [...ipv4, ...ipv6];
  };

/** As the settings of this deployment have it: `guard(url, guardsFrom(settings(env)))`. */
export const guardsFrom = (settings: { RESOLVER_URL: string; ALLOW_PRIVATE_URLS: boolean }): Guards => ({
  resolve: dnsOverHttps(settings.RESOLVER_URL),
  allowPrivate: settings.ALLOW_PRIVATE_URLS,
});
