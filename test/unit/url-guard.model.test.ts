/**
 * Any address in any notation. What is public is decided a second time here: by Node's own block list over the
 * registries as IANA publishes them. The notations are those that URL parsers read: every base, short forms, full-width
 * and escaped digits for IPv4; any compression, padding, case and dotted tail for IPv6.
 */
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPublic } from '../../src/durable/public-address.ts';
import { guard } from '../../src/durable/url-guard.ts';

type Cidr = { network: string; prefix: number };

const cidrs = (text: string): Cidr[] =>
  text
    .trim()
    .split(/\s+/)
    .map((cidr) => ({ network: cidr.replace(/\/.*/, ''), prefix: Number(cidr.replace(/.*\//, '')) }));

/** Not globally reachable by https://www.iana.org/assignments/iana-ipv4-special-registry; multicast; Azure's own. */
const IPV4 = cidrs(`
  0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32
  224.0.0.0/4 168.63.129.16/32
`);

/** The same of https://www.iana.org/assignments/iana-ipv6-special-registry; what carries IPv4; what is not given out. */
const IPV6 = cidrs(`
  ::1/128 ::/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:2::/48
  2001:10::/28 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
  ::/3 4000::/2 8000::/1
`);

const list = new BlockList();
for (const { network, prefix } of IPV4) list.addSubnet(network, prefix, 'ipv4');
const list6 = new BlockList();
for (const { network, prefix } of IPV6) list6.addSubnet(network, prefix, 'ipv6');

const dotted = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
const groups = (value: bigint): bigint[] =>
  Array.from({ length: 8 }, (_, i) => (value >> (112n - 16n * BigInt(i))) & 0xffffn);
const colons = (value: bigint): string =>
  groups(value)
    .map((group) => group.toString(16))
    .join(':');

const isListed = (value: bigint): boolean => list.check(dotted(value), 'ipv4');
const isListed6 = (value: bigint): boolean => list6.check(colons(value), 'ipv6');

const number = (network: string): bigint => network.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);

function number6(network: string): bigint {
  const [head = '', tail = ''] = network.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const full = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return full.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}

/** Anywhere, or in a block or one step beside it: at its ends more often than chance would have it. */
function addresses(blocks: Cidr[], bits: number, read: (network: string) => bigint): fc.Arbitrary<bigint> {
  const max = (1n << BigInt(bits)) - 1n;
  const near = blocks.map(({ network, prefix }) => {
    const first = read(network);
    const last = first + (1n << BigInt(bits - prefix)) - 1n;
    const edges = [first - 1n, first, last, last + 1n].filter((value) => value >= 0n && value <= max);
    return fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: first, max: last }));
  });
  return fc.oneof(fc.bigInt({ min: 0n, max }), ...near);
}

const ipv4 = addresses(IPV4, 32, number);
const ipv6 = fc.oneof(
  { weight: 3, arbitrary: addresses(IPV6, 128, number6) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0x2000n << 112n, max: (0x4000n << 112n) - 1n }) },
);

const WIDE = new Map([...'0123456789abcdefxABCDEFX'].map((c) => [c, String.fromCharCode(c.charCodeAt(0) + 0xfee0)]));
const escaped = (c: string): string => `%${c.charCodeAt(0).toString(16)}`;

/** One character as itself, in full width, or escaped. */
const disguises = fc.constantFrom(
  (c: string) => c,
  (c: string) => WIDE.get(c) ?? c,
  (c: string) => (c === '.' ? '。' : c),
  (c: string) => (c === '.' ? '．' : c),
  escaped,
);

const bases = fc.constantFrom(
  (part: bigint) => part.toString(),
  (part: bigint) => `0${part.toString(8)}`,
  (part: bigint) => `000${part.toString(8)}`,
  (part: bigint) => `0x${part.toString(16)}`,
  (part: bigint) => `0X00${part.toString(16).toUpperCase()}`,
);

/** The address in up to four parts of any base; the last part takes all bits that are left. */
const written = (value: bigint): fc.Arbitrary<string> =>
  fc
    .record({
      parts: fc.integer({ min: 1, max: 4 }),
      bases: fc.tuple(bases, bases, bases, bases),
      dot: fc.constantFrom('', '.'),
      disguise: disguises,
      from: fc.nat({ max: 12 }),
    })
    .map(({ parts, bases, dot, disguise, from }) => {
      const octets = [24n, 16n, 8n].slice(0, parts - 1).map((shift) => (value >> shift) & 255n);
      const rest = value & ((1n << BigInt(32 - 8 * (parts - 1))) - 1n);
      const text = [...octets, rest].map((part, i) => (bases[i] ?? String)(part)).join('.') + dot;
      return [...text].map((c, i) => (i < from ? c : disguise(c))).join('');
    });

/** The address with one run of groups squeezed if they are zero, any padding and case, and perhaps a dotted tail. */
const written6 = (value: bigint): fc.Arbitrary<string> =>
  fc
    .record({
      from: fc.nat({ max: 7 }),
      length: fc.integer({ min: 1, max: 8 }),
      width: fc.constantFrom(1, 2, 4),
      isUpper: fc.boolean(),
      isDotted: fc.boolean(),
    })
    .map(({ from, length, width, isUpper, isDotted }) => {
      const hex = groups(value).map((group) => group.toString(16).padStart(width, '0'));
      const all = isDotted ? [...hex.slice(0, 6), dotted(value & 0xffffffffn)] : hex;
      const run = all.slice(from, from + length);
      const isEmpty = run.length > 0 && run.every((group) => /^0+$/.test(group));
      const text = isEmpty ? `${all.slice(0, from).join(':')}::${all.slice(from + length).join(':')}` : all.join(':');
      return `[${isUpper ? text.toUpperCase() : text}]`;
    });

const judge = (host: string) =>
  guard(`http://${host}/x`, {
    allowPrivate: false,
    resolve: () => Promise.reject(new Error(`${host} was taken for a name`)),
  });

const RUNS = { numRuns: process.env.REELWIRE_LONG ? 100_000 : 2000 };

describe('an address is public where no registry says otherwise', () => {
  test('IPv4', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        expect(isPublic(dotted(value))).toBe(!isListed(value));
      }),
      RUNS,
    );
  });

  test('IPv6', () => {
    fc.assert(
      fc.property(ipv6, (value) => {
        expect(isPublic(colons(value))).toBe(!isListed6(value));
      }),
      RUNS,
    );
  });
});

describe('the notation changes nothing', () => {
  test('IPv4', async () => {
    const drawn = ipv4.chain((value) => fc.tuple(fc.constant(value), written(value)));
    await fc.assert(
      fc.asyncProperty(drawn, async ([value, host]) => {
        const verdict = await judge(host);
        if (isListed(value)) expect(verdict).toMatchObject({ ok: false, code: 'url_refused' });
        else expect(verdict).toMatchObject({ ok: true, value: { hostname: dotted(value) } });
      }),
      RUNS,
    );
  });

  test('IPv6', async () => {
    const drawn = ipv6.chain((value) => fc.tuple(fc.constant(value), written6(value)));
    await fc.assert(
      fc.asyncProperty(drawn, async ([value, host]) => {
        const verdict = await judge(host);
        if (isListed6(value)) expect(verdict).toMatchObject({ ok: false, code: 'url_refused' });
        else expect(verdict).toMatchObject({ ok: true });
      }),
      RUNS,
    );
  });

  test('an IPv4 address inside of an IPv6 address that would lead to it', async () => {
    const carriers = fc.constantFrom(
      (value: bigint) => value,
      (value: bigint) => (0xffffn << 32n) | value,
      (value: bigint) => (0xffff0000n << 32n) | value,
      (value: bigint) => (0x64ff9bn << 96n) | value,
      (value: bigint) => (0x64ff9b0001n << 80n) | value,
      (value: bigint) => (0x2002n << 112n) | (value << 80n),
      (value: bigint) => (0x20010000n << 96n) | (value << 64n) | 0xffffn,
      (value: bigint) => (0x20010000n << 96n) | (value ^ 0xffffffffn),
    );
    const drawn = fc.tuple(ipv4, carriers).chain(([value, carry]) => written6(carry(value)));
    await fc.assert(
      fc.asyncProperty(drawn, async (host) => {
        expect(await judge(host)).toMatchObject({ ok: false, code: 'url_refused' });
      }),
      RUNS,
    );
  });
});

test('whatever the text, there is a verdict, and what passes is http or https, without credentials, and resolved', async () => {
  const bits = ['http', 'https', 'ftp', ':', '//', '/', '@', 'user', '[', ']', '::1', '127.1', '.', 'localhost', '%'];
  const more = [
    '2e',
    ':80',
    ':22',
    '?',
    '#',
    '\\',
    '\t',
    ' ',
    'example.com',
    'xn--',
    'ｅ',
    '0x7f',
    'é',
    '\0',
    '-',
    '_',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...bits, ...more), { maxLength: 12 }).map((parts) => parts.join('')),
    fc.array(fc.constantFrom(...bits, ...more), { maxLength: 8 }).map((parts) => `https://${parts.join('')}`),
    fc.webUrl(),
  );
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(text, async (url) => {
      const asked: string[] = [];
      const resolve = async (name: string) => {
        asked.push(name);
        return ['93.184.215.14'];
      };
      const verdict = await guard(url, { allowPrivate: false, resolve });
      if (!verdict.ok) return;
      passed++;
      const { protocol, username, password, hostname } = verdict.value;
      expect(['http:', 'https:']).toContain(protocol);
      expect(username + password).toBe('');
      expect(asked).toEqual(isPublic(hostname.replace(/^\[|\]$/g, '')) ? [] : [hostname.replace(/\.$/, '')]);
    }),
    RUNS,
  );
  expect(passed).toBeGreaterThan(RUNS.numRuns / 10);
});
