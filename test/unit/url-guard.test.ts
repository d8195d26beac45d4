/** The URL guard, case by case, and its resolver. `url-guard.model.test.ts` draws addresses and notations. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dnsOverHttps, guardsFrom } from '../../src/durable/resolver.ts';
import { followGuarded, type Guards, guard, RESOLVE_MS, type Resolve } from '../../src/durable/url-guard.ts';
import { BY_ANSWER, OUTRIGHT, resolve } from './addresses.ts';

const guards: Guards = { resolve, allowPrivate: false };
const never: Resolve = () => new Promise(() => {});

afterEach(() => {
  vi.useRealTimers();
});

describe('one URL', () => {
  test.each(OUTRIGHT)('$because: $refused is refused, $control is not', async ({ refused, code, control }) => {
    const asked = vi.fn(resolve);
    expect(await guard(refused, { ...guards, resolve: asked })).toMatchObject({ ok: false, code });
    expect(asked).not.toHaveBeenCalled();
    expect(await guard(control, guards)).toMatchObject({ ok: true, value: new URL(control) });
  });

  test.each(BY_ANSWER)('$because: $refused is refused, $control is not', async ({ refused, code, control }) => {
    expect(await guard(refused, guards)).toMatchObject({ ok: false, code });
    expect(await guard(control, guards)).toMatchObject({ ok: true, value: new URL(control) });
  });

  test('a name is resolved without the dot at its end, an address is not resolved', async () => {
    const asked = vi.fn(resolve);
    for (const url of ['https://Hooks.Example.com.:8443/x', 'https://93.184.215.14/', 'https://[2606:4700::1]/']) {
      expect(await guard(new URL(url), { ...guards, resolve: asked })).toMatchObject({ ok: true });
    }
    expect(asked.mock.calls.map(([name]) => name)).toEqual(['hooks.example.com']);
  });

  test('a resolver that fails is a refusal that may pass', async () => {
    const resolves = { rejects: () => Promise.reject(new Error('down')), throws: () => raise('down') };
    for (const broken of Object.values(resolves)) {
      const refusal = await guard('https://hooks.example.com/', { ...guards, resolve: broken });
      expect(refusal).toMatchObject({ ok: false, code: 'resolver_unavailable' });
    }
    expect(await guard('https://93.184.215.14/', { ...guards, resolve: resolves.rejects })).toMatchObject({ ok: true });
  });

  test('a resolver that does not answer in time is a refusal, and is told to stop', async () => {
    vi.useFakeTimers();
    let stop: AbortSignal | null = null;
    const verdict = vi.fn();
    const silent: Resolve = (name, signal) => {
      stop = signal;
      return never(name, signal);
    };
    const done = guard('https://hooks.example.com/', { ...guards, resolve: silent }).then(verdict);
    await vi.advanceTimersByTimeAsync(RESOLVE_MS - 1);
    expect(verdict).not.toHaveBeenCalled();
    expect(stop).toMatchObject({ aborted: false });
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(verdict).toHaveBeenCalledWith(expect.objectContaining({ ok: false, code: 'resolver_unavailable' }));
    expect(stop).toMatchObject({ aborted: true });
  });

  test('in development every host and port is allowed and none resolved, and the rest of the rules stay', async () => {
    const open: Guards = { resolve: () => raise('asked'), allowPrivate: true };
    for (const { refused, control, code } of [...OUTRIGHT, ...BY_ANSWER]) {
      const isForm = code === 'invalid_url';
      expect(await guard(refused, open), refused).toMatchObject(isForm ? { ok: false, code } : { ok: true });
      expect(await guard(control, open), control).toMatchObject({ ok: true });
    }
  });
});

describe('along redirects', () => {
  /** A web of answers by URL; what is not in it is not found. */
  function web(pages: Record<string, Response>) {
    const fetched: string[] = [];
    const send = async (url: string, init: { redirect: 'manual' }) => {
      expect(init.redirect).toBe('manual');
      fetched.push(url);
      return pages[url] ?? new Response(null, { status: 404 });
    };
    return { fetched, send };
  }

  const to = (location: string, status = 302) => new Response('moved', { status, headers: { Location: location } });
  const START = 'https://hooks.example.com/0';

  test('the answer at the end comes with the URL it is from, and the bodies on the way are dropped', async () => {
    const first = to('/1', 301);
    const { send, fetched } = web({
      [START]: first,
      'https://hooks.example.com/1': to('https://many.example.com/2', 303),
      'https://many.example.com/2': to('?again'),
      'https://many.example.com/2?again': to('//93.184.215.14:8443/3', 307),
      'https://93.184.215.14:8443/3': to('http://ipv6.example.com/4', 308),
      'http://ipv6.example.com/4': new Response('here'),
    });
    const cancelled = vi.spyOn(first.body ?? raise('no body'), 'cancel');
    const end = await followGuarded(START, send, guards);
    if (!end.ok) throw new Error(end.detail);
    expect(end.value.url.href).toBe('http://ipv6.example.com/4');
    expect(await end.value.response.text()).toBe('here');
    expect(fetched).toHaveLength(6);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  test.each([...OUTRIGHT.filter(({ because }) => because !== 'not an absolute URL'), ...BY_ANSWER])(
    '$because: a redirect to $refused is not followed, one to $control is',
    async ({ refused, code, control }) => {
      const { send, fetched } = web({ [START]: to(encoded(refused)) });
      expect(await followGuarded(START, send, guards)).toMatchObject({ ok: false, code });
      expect(fetched).toEqual([START]);

      const other = web({ [START]: to(encoded(control)) });
      expect(await followGuarded(START, other.send, guards)).toMatchObject({ ok: true });
      expect(other.fetched).toEqual([START, new URL(control).href]);
    },
  );

  test('the first URL is judged before it is fetched', async () => {
    const { send, fetched } = web({});
    expect(await followGuarded('http://127.0.0.1/', send, guards)).toMatchObject({ ok: false, code: 'url_refused' });
    expect(fetched).toEqual([]);
  });

  test('a private hop in the middle ends the way, though the one behind it is public', async () => {
    const { send, fetched } = web({
      [START]: to('http://10.0.0.1/'),
      'http://10.0.0.1/': to('https://many.example.com/'),
    });
    expect(await followGuarded(START, send, guards)).toMatchObject({ ok: false, code: 'url_refused' });
    expect(fetched).toEqual([START]);
  });

  test('there are as many redirects as allowed, and not one more', async () => {
    const pages = () => ({
      [START]: to('/1'),
      'https://hooks.example.com/1': to('/2'),
      'https://hooks.example.com/2': new Response('here'),
    });
    expect(await followGuarded(START, web(pages()).send, guards, 2)).toMatchObject({ ok: true });
    const short = web(pages());
    expect(await followGuarded(START, short.send, guards, 1)).toMatchObject({ ok: false, code: 'too_many_redirects' });
    expect(short.fetched).toEqual([START, 'https://hooks.example.com/1']);
  });

  test('a circle ends', async () => {
    const fetched: string[] = [];
    const send = async (url: string) => {
      fetched.push(url);
      return to('/0');
    };
    expect(await followGuarded(START, send, guards)).toMatchObject({ ok: false, code: 'too_many_redirects' });
    expect(fetched).toHaveLength(6);
  });

  test.each([300, 304, 200])('%i with a Location is an answer, not a redirect', async (status) => {
    const { send, fetched } = web({ [START]: new Response(null, { status, headers: { Location: '/1' } }) });
    expect(await followGuarded(START, send, guards)).toMatchObject({ ok: true, value: { response: { status } } });
    expect(fetched).toEqual([START]);
  });

  test('a redirect without a Location is an answer; one whose Location is no URL is a refusal', async () => {
    const silent = web({ [START]: new Response(null, { status: 302 }) });
    expect(await followGuarded(START, silent.send, guards)).toMatchObject({ value: { response: { status: 302 } } });
    const broken = web({ [START]: to('http://[') });
    expect(await followGuarded(START, broken.send, guards)).toMatchObject({ ok: false, code: 'invalid_url' });
  });

  test('in development a redirect may lead to this machine, and still to no other scheme', async () => {
    const open: Guards = { ...guards, allowPrivate: true };
    const local = web({ [START]: to('http://localhost:8787/') });
    expect(await followGuarded(START, local.send, open)).toMatchObject({ ok: true });
    const file = web({ [START]: to('file:///etc/passwd') });
    expect(await followGuarded(START, file.send, open)).toMatchObject({ ok: false, code: 'invalid_url' });
  });
});

describe('DNS over HTTPS', () => {
  const record = (type: number, data: string) => ({ name: 'hooks.example.com', type, TTL: 60, data });
  const answer = (records: object[] | undefined, over: object = {}) =>
    Response.json({ Status: 0, TC: false, RD: true, RA: true, AD: false, CD: false, Answer: records, ...over });

  /** A resolver that answers with `a` and `aaaa`, and the requests that it gets. */
  function server(a: () => Response, aaaa: () => Response) {
    const requests: { url: URL; headers: Record<string, string> }[] = [];
    const ask = dnsOverHttps('https://dns.example/query?ct=x', async (text, { headers }) => {
      const url = new URL(text);
      requests.push({ url, headers });
      return url.searchParams.get('type') === 'AAAA' ? aaaa() : a();
    });
    return { requests, lookup: () => ask('hooks.example.com', new AbortController().signal) };
  }

  const a = () => answer([record(5, 'edge.example.net.'), record(1, '93.184.215.14'), record(1, '93.184.215.15')]);
  const aaaa = () =>
    answer([record(5, 'edge.example.net.'), record(28, '2606:2800:21f::1'), record(46, 'AAAA 13 ...')]);

  test('both kinds of address are asked for and told, what lies between is not', async () => {
    const { lookup, requests } = server(a, aaaa);
    expect(await lookup()).toEqual(['93.184.215.14', '93.184.215.15', '2606:2800:21f::1']);
    expect(requests.map(({ url }) => url.href)).toEqual([
      'https://dns.example/query?ct=x&name=hooks.example.com&type=A',
      'https://dns.example/query?ct=x&name=hooks.example.com&type=AAAA',
    ]);
    expect(requests.map(({ headers }) => headers)).toEqual(Array(2).fill({ accept: 'application/dns-json' }));
  });

  test('one kind of address is enough; a name that does not exist has none', async () => {
    const none = () => answer(undefined);
    const unknown = () => answer(undefined, { Status: 3 });
    expect(await server(a, none).lookup()).toEqual(['93.184.215.14', '93.184.215.15']);
    expect(await server(none, aaaa).lookup()).toEqual(['2606:2800:21f::1']);
    expect(await server(none, none).lookup()).toEqual([]);
    expect(await server(unknown, unknown).lookup()).toEqual([]);
  });

  test.each<[string, () => Response]>([
    ['an error of HTTP', () => new Response(a().body, { status: 502 })],
    ['a failure of the name servers', () => answer(undefined, { Status: 2 })],
    ['a refusal', () => answer(undefined, { Status: 5 })],
    ['an answer that is cut', () => answer([record(1, '93.184.215.14')], { TC: true })],
    ['what is not JSON', () => new Response('<html>')],
    ['JSON of another form', () => Response.json({ Answer: [{ data: 7 }] })],
    ['no connection', () => raise('refused')],
  ])('%s for one kind is no answer at all', async (_, broken) => {
    await expect(server(a, aaaa).lookup()).resolves.toHaveLength(3);
    for (const { lookup } of [server(broken, aaaa), server(a, broken)]) {
      await expect(lookup()).rejects.toThrow();
      expect(await guard('https://hooks.example.com/', { allowPrivate: false, resolve: lookup })).toMatchObject({
        code: 'resolver_unavailable',
      });
    }
  });

  test('a guard that gives up ends the requests of its resolver', async () => {
    vi.useFakeTimers();
    const signals: AbortSignal[] = [];
    const silent = dnsOverHttps('https://dns.example/query', (_, { signal }) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const refusal = guard('https://hooks.example.com/', { ...guards, resolve: silent });
    await vi.advanceTimersByTimeAsync(RESOLVE_MS);
    expect(await refusal).toMatchObject({ code: 'resolver_unavailable' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test('settings decide between the resolver and development', async () => {
    const RESOLVER_URL = 'https://dns.example/query';
    const local = (ALLOW_PRIVATE_URLS: boolean) =>
      guard('http://localhost:8787/', guardsFrom({ RESOLVER_URL, ALLOW_PRIVATE_URLS }));
    expect(await local(true)).toMatchObject({ ok: true });
    expect(await local(false)).toMatchObject({ ok: false, code: 'url_refused' });
  });
});

/** Header values are bytes: a Location carries other characters as a browser would have read them. */
const encoded = (url: string): string => new URL(url).href;

function raise(message: string): never {
  throw new Error(message);
}
