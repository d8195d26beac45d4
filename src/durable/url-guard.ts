/**
 * What stands between an address that a user gave and a fetch. `guard` judges one URL: its scheme, credentials, port
 * and host, and if the host is a name, every address that the resolver knows for it. `followGuarded` fetches, and
 * judges each redirect in the same way before it goes there. Fetch the URL that was returned, not the text that was
 * given. Between the check and the fetch the name may change its addresses; docs/decisions/0010-url-guard.md says what
 * that leaves open.
 */
import type { ProblemCode } from '../contract/errors.ts';
import { isPublic } from './public-address.ts';
import { within } from './timing.ts';

/** All addresses of a name, IPv4 and IPv6; empty if it has none. Rejects if that cannot be found out. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<string[]>;

export interface Guards {
  resolve: Resolve;
  /** For development: any host and any port. The URL must still be http or https, and without credentials. */
  allowPrivate: boolean;
}

export type UrlProblem = Extract<
  ProblemCode,
  'invalid_url' | 'url_refused' | 'url_unresolved' | 'resolver_unavailable' | 'too_many_redirects'
>;

/** Routes can `unwrap` it. */
export type Guarded<T> = { ok: true; value: T } | { ok: false; code: UrlProblem; detail: string };

/** How long a name may take to resolve. */
export const RESOLVE_MS = 5000;

/** From 1024 on, the "bad ports" of the Fetch standard, which browsers do not open either; of those below, two are allowed. */
const BAD_PORTS = new Set([
  ...[1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566],
  ...[6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

/** Names below these are not of the public DNS. */
const LOCAL_NAMES = ['localhost', 'local', 'internal', 'home.arpa', 'onion'];

export async function guard(url: string | URL, { resolve, allowPrivate }: Guards): Promise<Guarded<URL>> {
  const parsed = URL.parse(String(url));
  if (!parsed) return refuse('invalid_url', 'Send an absolute URL, such as https://example.com/path.');
  if (!['http:', 'https:'].includes(parsed.protocol)) return refuse('invalid_url', 'Use a URL with http or https.');
  if (parsed.username || parsed.password) {
    return refuse('invalid_url', 'Leave the user name and the password out of the URL.');
  }
  if (allowPrivate) return { ok: true, value: parsed };

  if (!isOpenPort(parsed.port)) {
    return refuse('url_refused', `Port ${parsed.port} is not allowed. Use the usual ports of http and https.`);
  }
  const address = literal(parsed.hostname);
  if (address) return isPublic(address) ? { ok: true, value: parsed } : notPublic(address);
  const name = parsed.hostname.replace(/\.$/, '');
  if (!isPublicName(name))
    return refuse('url_refused', `${name} is not a host name of the public DNS. Use one that is.`);
  return (await resolvesToPublic(name, resolve)) ?? { ok: true, value: parsed };
}

/**
 * Fetches `url`, along at most `redirects` redirects. `send` is `fetch`, or calls it with what it is given and more. A
 * redirect that cannot be followed because it names no address is an answer like any other.
 */
export async function followGuarded(
  url: string | URL,
  send: (url: string, init: { redirect: 'manual' }) => Promise<Response>,
  guards: Guards,
  redirects = 5,
): Promise<Guarded<{ url: URL; response: Response }>> {
  let next = url;
  for (let hop = 0; hop <= redirects; hop++) {
    const guarded = await guard(next, guards);
    if (!guarded.ok) return guarded;
    const response = await send(guarded.value.href, { redirect: 'manual' });
    const location = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get('Location') : null;
    if (location === null) return { ok: true, value: { url: guarded.value, response } };
    await response.body?.cancel();
    next = URL.parse(location, guarded.value.href) ?? location;
  }
  return refuse('too_many_redirects', `The URL redirects more than ${redirects} times. Send the one it ends at.`);
}

/** Null if every address of the name is public. */
async function resolvesToPublic(name: string, resolve: Resolve): Promise<Guarded<never> | null> {
  const finished = new AbortController();
  try {
    const addresses = await within(RESOLVE_MS, resolve(name, finished.signal));
    if (addresses.length === 0) return refuse('url_unresolved', `${name} has no address. Check the host name.`);
    return addresses.every(isPublic) ? null : notPublic(name);
  } catch {
    return refuse('resolver_unavailable', `${name} could not be resolved. Try again later.`);
  } finally {
    finished.abort();
  }
}

const isOpenPort = (port: string): boolean =>
  ['', '80', '443'].includes(port) || (Number(port) >= 1024 && !BAD_PORTS.has(Number(port)));

/** The address, if the host is one. The URL parser has brought all notations into one form: `127.0.0.1`, `[::1]`. */
const literal = (hostname: string): string | null =>
  /^\[(.+)\]$/.exec(hostname)?.[1] ?? (/^[\d.]+$/.test(hostname) ? hostname : null);

const isPublicName = (name: string): boolean =>
  name.length <= 253 &&
  /^([a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}$/.test(name) &&
  !LOCAL_NAMES.some((local) => name.endsWith(`.${local}`) || name === local);

const notPublic = (host: string): Guarded<never> =>
  refuse('url_refused', `${host} is not on the public Internet, or not only there. Use a host that anybody can reach.`);

const refuse = (code: UrlProblem, detail: string): Guarded<never> => ({ ok: false, code, detail });
