/** Which Reelwire the commands talk to, and with what key: from the command line, else from the environment. */
import { z } from 'zod';
import { Reelwire } from '../client/index.ts';
import { Refusal } from '../tools/main.ts';
import { Address } from './address.ts';

/** The options that every command has, as they are given. */
export interface GivenSettings {
  url: string;
  key?: string | undefined;
  json?: boolean | undefined;
}

export interface Settings {
  /** Without a slash at its end. */
  url: string;
  key: string | null;
  json: boolean;
}

/** After seven failures in a row, about a minute, a server counts as out of reach. */
const MAX_ATTEMPTS = 7;

/** What can go into a header. */
const Key = z.string().regex(/^[!-~]*$/);

export function readSettings({ url, key, json }: GivenSettings): Settings {
  const { error } = Address.safeParse(url);
  if (error) throw new Refusal(`--url or REELWIRE_URL ${error.issues[0]?.message}`, 2);
  const { success, data } = Key.safeParse(key?.trim() ?? '');
  if (!success) throw new Refusal('--key or REELWIRE_KEY holds characters that no key has.', 2);
  return { url: url.replace(/\/+$/, ''), key: data || null, json: json ?? false };
}

/** `stop` ends every request. */
export function connect({ url, key }: Pick<Settings, 'url' | 'key'>, stop: AbortSignal): Reelwire {
  return new Reelwire({
    url,
    getToken: () => key,
    fetch: (address, init) =>
      fetch(address, { ...init, signal: init?.signal ? AbortSignal.any([stop, init.signal]) : stop }),
    maxAttempts: MAX_ATTEMPTS,
  });
}
