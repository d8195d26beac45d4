/**
 * URLs as users may send them, and what becomes of them. Each refused one stands beside a control that differs from it
 * in what matters and is accepted. Those of `OUTRIGHT` are refused without a resolver, those of `BY_ANSWER` because of
 * what `resolve` answers. Tests of every route and object that takes a URL can run through them.
 */
import type { Resolve, UrlProblem } from '../../src/durable/url-guard.ts';

export interface Case {
  because: string;
  code: UrlProblem;
  refused: string;
  control: string;
}

const PUBLIC = ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'];

const ANSWERS = new Map<string, string[]>([
  ...[
    ...[
      'hooks.example.com',
      'localhost.example.com',
      'onion.example.com',
      'intranet.example.com',
      '127.0.0.1.example.com',
    ],
    ...[
      'xn--bcher-kva.example.com',
      'my_hooks.example.com',
      'a.notlocalhost',
      'a.notlocal',
      'a.notinternal',
      'a.home.arpanet',
    ],
    ...['a.notonion', 'internal.example.com', `${'a'.repeat(63)}.example.com`],
  ].map((name): [string, string[]] => [name, PUBLIC]),
  ['ipv4.example.com', ['93.184.215.14']],
  ['ipv6.example.com', ['2606:2800:21f:cb07:6820:80da:af6b:8b2c']],
  ['many.example.com', ['93.184.215.14', '93.184.215.15', '93.184.215.16', '2606:2800:21f:cb07::1']],

  ['loopback.example.com', ['127.0.0.1']],
  ['loopback6.example.com', ['::1']],
  ['metadata.example.com', ['169.254.169.254']],
  ['mixed.example.com', ['93.184.215.14', '10.0.0.1']],
  ['mixed6.example.com', ['93.184.215.14', 'fd00::1']],
  ['last.example.com', ['93.184.215.14', '93.184.215.15', '93.184.215.16', '192.168.1.1']],
  ['mapped.example.com', ['::ffff:10.0.0.1']],
  ['nat64.example.com', ['64:ff9b::a00:1']],
  ['blocked.example.com', ['0.0.0.0']],
  ['odd.example.com', ['93.184.215.14', '10.1']],
  ['words.example.com', ['loopback.example.com.']],
]);

/** Knows the names of the cases; any other has no address. */
export const resolve: Resolve = async (name) => ANSWERS.get(name) ?? [];

const cases = (because: string, code: UrlProblem, pairs: [refused: string, control: string][]): Case[] =>
  pairs.map(([refused, control]) => ({ because, code, refused, control }));

const hosts = (because: string, pairs: [refused: string, control: string][]): Case[] =>
  cases(
    because,
    'url_refused',
    pairs.map(([refused, control]) => [`http://${refused}/x`, `http://${control}/x`]),
  );

export const OUTRIGHT: Case[] = [
  ...cases('not an absolute URL', 'invalid_url', [
    ['', 'https://hooks.example.com'],
    ['hooks.example.com/x', 'https://hooks.example.com/x'],
    ['//hooks.example.com/x', 'http://hooks.example.com/x'],
    ['http://', 'http://hooks.example.com'],
    ['https://hooks.example.com:65536/', 'https://hooks.example.com:65535/'],
    ['https://hooks example.com/', 'https://hooks.example.com/a%20b'],
    ['https://hooks%00.example.com/', 'https://hooks.example.com/%00'],
    ['http://[2606:4700:4700::1111', 'http://[2606:4700:4700::1111]'],
    ['http://[fe80::1%25eth0]/', 'http://[2606:4700:4700::1001]/'],
    ['http://93.184.215.256/', 'http://93.184.215.255/'],
    ['http://93.184.215.14.1/', 'http://93.184.215.14/'],
    ['http://0x100000000/', 'http://0x5db8d70e/'],
  ]),
  ...cases('another scheme', 'invalid_url', [
    ['ftp://hooks.example.com/x', 'http://hooks.example.com/x'],
    ['file:///etc/passwd', 'http://hooks.example.com/etc/passwd'],
    ['gopher://hooks.example.com/x', 'https://hooks.example.com/x'],
    ['wss://hooks.example.com/x', 'HTTPS://hooks.example.com/x'],
    ['data:text/plain,https://hooks.example.com', 'https://hooks.example.com/data:text/plain'],
    ['javascript:fetch("https://hooks.example.com")', 'https://hooks.example.com/?javascript:1'],
    ['blob:https://hooks.example.com/x', 'https:hooks.example.com/x'],
    ['hooks.example.com:8080/x', 'https://hooks.example.com:8080/x'],
  ]),
  ...cases('credentials', 'invalid_url', [
    ['https://user:secret@hooks.example.com/', 'https://hooks.example.com/?user:secret@'],
    ['https://user@hooks.example.com/', 'https://hooks.example.com/user@'],
    ['https://:secret@hooks.example.com/', 'https://hooks.example.com/#:secret@'],
    ['https://hooks.example.com@127.0.0.1/', 'https://hooks.example.com/@127.0.0.1/'],
    ['https://hooks.example.com%2f@93.184.215.14/', 'https://93.184.215.14/hooks.example.com%2f@'],
  ]),
  ...cases('a port of another protocol', 'url_refused', [
    ['https://hooks.example.com:0/', 'https://hooks.example.com:443/'],
    ['http://hooks.example.com:22/', 'http://hooks.example.com:80/'],
    ['https://hooks.example.com:25/', 'https://hooks.example.com:80/'],
    ['http://hooks.example.com:79/', 'http://hooks.example.com:443/'],
    ['http://hooks.example.com:444/', 'http://hooks.example.com:4443/'],
    ['http://hooks.example.com:1023/', 'http://hooks.example.com:1024/'],
    ['http://hooks.example.com:2049/', 'http://hooks.example.com:2050/'],
    ['http://hooks.example.com:5060/', 'http://hooks.example.com:5062/'],
    ['http://hooks.example.com:6000/', 'http://hooks.example.com:6001/'],
    ['http://hooks.example.com:6669/', 'http://hooks.example.com:6670/'],
    ['http://hooks.example.com:10080/', 'http://hooks.example.com:8080/'],
    ['http://93.184.215.14:22/', 'http://93.184.215.14:3000/'],
  ]),
  ...hosts('a name that is not of the public DNS', [
    ['localhost', 'localhost.example.com'],
    ['localhost.', 'localhost.example.com.'],
    ['LOCALHOST', 'LOCALHOST.EXAMPLE.COM'],
    ['ｌｏｃａｌｈｏｓｔ', 'ｈｏｏｋｓ.example.com'],
    ['%6cocalhost', '%6cocalhost.example.com'],
    ['lo\u00adcalhost', 'ho\u00adoks.example.com'],
    ['localhost%2e', 'hooks.example.com%2e'],
    ['a.localhost', 'a.notlocalhost'],
    ['127.0.0.1.localhost', '127.0.0.1.example.com'],
    ['a.b.localhost.', 'a.notlocalhost.'],
    ['intranet', 'intranet.example.com'],
    ['intranet:8080', 'intranet.example.com:8080'],
    ['printer.local', 'a.notlocal'],
    ['metadata.google.internal', 'a.notinternal'],
    ['INTERNAL', 'internal.example.com'],
    ['router.home.arpa', 'a.home.arpanet'],
    ['home.arpa', 'a.home.arpanet'],
    ['duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion', 'onion.example.com'],
    ['a.onion.', 'a.notonion'],
    ['hooks..example.com', 'hooks.example.com'],
    ['hooks.example.com..', 'hooks.example.com.'],
    ['.example.com', 'hooks.example.com'],
    ['hooks!.example.com', 'my_hooks.example.com'],
    [`${'a'.repeat(64)}.example.com`, `${'a'.repeat(63)}.example.com`],
    [`${'a.'.repeat(125)}example.com`, 'bücher.example.com'],
  ]),
  ...hosts('loopback in another notation', [
    ['127.0.0.1', '93.184.215.14'],
    ['127.0.0.1.', '93.184.215.14.'],
    ['127.0.0.1:8787', '93.184.215.14:8787'],
    ['127.1', '93.12113678'],
    ['127.0.1', '93.184.55054'],
    ['2130706433', '1572394766'],
    ['0x7f000001', '0x5DB8D70E'],
    ['0x7F.0.0.0x1', '0x5d.184.215.0xe'],
    ['0177.0.0.01', '0135.184.215.016'],
    ['0000177.0.0.1', '0000135.184.215.14'],
    ['017700000001', '013556153416'],
    ['0177.0x1', '0135.0xb8d70e'],
    ['１２７.０.０.１', '９３.１８４.２１５.１４'],
    ['①②⑦.⓪.⓪.①', '⑨③.①⑧④.②①⑤.①④'],
    ['127。0．0｡1', '93。184．215｡14'],
    ['%31%32%37.0.0.1', '%39%33.184.215.14'],
    ['0', '134744072'],
  ]),
  ...hosts('an IPv4 block that is not globally reachable', [
    ['0.0.0.0', '1.0.0.0'],
    ['10.0.0.1', '9.255.255.255'],
    ['10.255.255.255', '11.0.0.0'],
    ['100.64.0.1', '100.63.255.255'],
    ['100.100.100.200', '100.128.0.0'],
    ['127.255.255.254', '128.0.0.0'],
    ['169.254.169.254', '169.253.169.254'],
    ['0xa9fea9fe', '0xa9fda9fe'],
    ['2852039166', '2851973630'],
    ['169.254.0.0', '169.255.0.0'],
    ['168.63.129.16', '168.63.129.17'],
    ['172.16.0.1', '172.15.255.255'],
    ['172.31.255.255', '172.32.0.0'],
    ['192.0.0.192', '192.0.1.192'],
    ['192.0.2.1', '192.0.3.1'],
    ['192.88.99.1', '192.88.98.1'],
    ['192.168.0.1', '192.167.255.255'],
    ['192.168.255.255', '192.169.0.0'],
    ['198.18.0.1', '198.17.255.255'],
    ['198.19.255.255', '198.20.0.0'],
    ['198.51.100.1', '198.51.101.1'],
    ['203.0.113.1', '203.0.114.1'],
    ['224.0.0.1', '223.255.255.255'],
    ['239.255.255.255', '223.255.255.254'],
    ['255.255.255.255', '192.31.196.1'],
  ]),
  ...hosts('an IPv6 address that is not globally reachable', [
    ['[::]', '[2606:4700:4700::1111]'],
    ['[::1]', '[2606:4700:4700::1]'],
    ['[0:0:0:0:0:0:0:1]', '[2606:4700:4700:0:0:0:0:1]'],
    ['[0000:0000:0000:0000:0000:0000:0000:0001]', '[2606:4700:4700:0000:0000:0000:0000:0001]'],
    ['[::1]:8787', '[2606:4700:4700::1]:8787'],
    ['[64:ff9b:1::1]', '[2001:4860:4860::8888]'],
    ['[100::1]', '[2100::1]'],
    ['[100:0:0:1::1]', '[2100:0:0:1::1]'],
    ['[2001:1::1]', '[2001:200::1]'],
    ['[2001:2::1]', '[2001:202::1]'],
    ['[2001:10::1]', '[2001:1000::1]'],
    ['[2001:1ff:ffff::1]', '[2001:200::]'],
    ['[2001:db8::1]', '[2001:db9::1]'],
    ['[2001:DB8:FFFF::]', '[2001:DB7:FFFF::]'],
    ['[3fff::1]', '[3ffe:ffff::1]'],
    ['[3fff:fff::1]', '[3fff:1000::1]'],
    ['[5f00::1]', '[2f00::1]'],
    ['[fc00::1]', '[2c00::1]'],
    ['[fd00:ec2::254]', '[2600:ec2::254]'],
    ['[fd20:ce::254]', '[2620:ce::254]'],
    ['[fe80::1]', '[2e80::1]'],
    ['[febf::1]', '[2ebf::1]'],
    ['[fec0::1]', '[2ec0::1]'],
    ['[ff02::1]', '[2f02::1]'],
    ['[4000::1]', '[3000::1]'],
    ['[1fff:ffff::1]', '[2000::1]'],
  ]),
  ...hosts('IPv6 that carries an IPv4 address', [
    ['[::ffff:127.0.0.1]', '127.0.0.1.example.com'],
    ['[::ffff:7f00:1]', '[2606:4700::7f00:1]'],
    ['[::FFFF:10.0.0.1]', '[2606:4700::10.0.0.1]'],
    ['[0:0:0:0:0:ffff:a9fe:a9fe]', '[2606:4700:0:0:0:ffff:a9fe:a9fe]'],
    ['[::ffff:93.184.215.14]', '93.184.215.14'],
    ['[::ffff:0:10.0.0.1]', '[2606:4700::ffff:0:10.0.0.1]'],
    ['[::127.0.0.1]', '[2606:4700::127.0.0.1]'],
    ['[64:ff9b::10.0.0.1]', '[2606:ff9b::10.0.0.1]'],
    ['[64:ff9b::a9fe:a9fe]', '[2606:ff9b::a9fe:a9fe]'],
    ['[2002:a00:1::]', '[2003:a00:1::]'],
    ['[2002:7f00:1::1]', '[2003:7f00:1::1]'],
    ['[2001:0:5db8:d70e:0:0:f5ff:fffe]', '[2001:4860:5db8:d70e:0:0:f5ff:fffe]'],
  ]),
];

const names = (because: string, code: UrlProblem, pairs: [refused: string, control: string][]): Case[] =>
  cases(
    because,
    code,
    pairs.map(([refused, control]) => [`https://${refused}.example.com/x`, `https://${control}.example.com/x`]),
  );

export const BY_ANSWER: Case[] = [
  ...names('the name leads to a private address', 'url_refused', [
    ['loopback', 'ipv4'],
    ['loopback6', 'ipv6'],
    ['metadata', 'ipv4'],
    ['mapped', 'ipv6'],
    ['nat64', 'ipv6'],
    ['blocked', 'ipv4'],
  ]),
  ...names('one of the addresses is private', 'url_refused', [
    ['mixed', 'many'],
    ['mixed6', 'many'],
    ['last', 'many'],
  ]),
  ...names('one of the answers is no address', 'url_refused', [
    ['odd', 'ipv4'],
    ['words', 'ipv4'],
  ]),
  ...names('the name has no address', 'url_unresolved', [['nowhere', 'hooks']]),
];
