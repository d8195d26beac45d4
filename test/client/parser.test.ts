/** The parser against WHATWG HTML section 9.2.6, and against every way to cut bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStreamParser } from '../../client/parser.ts';

interface Read {
  events: { name: string; data: string; id: string }[];
  comments: string[];
  retries: number[];
}

/** `at`: the bytes at which the stream is cut into pieces. */
function read(stream: string | Uint8Array, at: readonly number[] = []): Read {
  const bytes = typeof stream === 'string' ? new TextEncoder().encode(stream) : stream;
  const result: Read = { events: [], comments: [], retries: [] };
  const parser = new EventStreamParser({
    onEvent: (name, data, id) => result.events.push({ name, data, id }),
    onComment: (text) => result.comments.push(text),
    onRetry: (ms) => result.retries.push(ms),
  });
  const edges = [0, ...at.filter((edge) => edge <= bytes.length).sort((a, b) => a - b), bytes.length];
  for (const [i, edge] of edges.entries()) parser.push(bytes.subarray(edge, edges[i + 1] ?? edge));
  return result;
}

const data = (stream: string): string[] => read(stream).events.map((event) => event.data);

test.each([
  ['one line', 'data: a\n\n', ['a']],
  ['several lines are one text', 'data: a\ndata\ndata: b\n\n', ['a\n\nb']],
  ['only the first space goes', 'data:  a\n\ndata:b\n\n', [' a', 'b']],
  ['a colon in the value stays', 'data: a:b\n\n', ['a:b']],
  ['an empty data field is an event', 'data\n\ndata:\n\n', ['', '']],
  ['no data, no event', 'event: a\nid: 1\n\n\n\n', []],
  ['without its blank line it never was', 'data: a\n\ndata: b\n', ['a']],
  ['a byte order mark is no text', '\uFEFFdata: a\n\n', ['a']],
  ['a second one is', '\uFEFF\uFEFFdata: a\n\ndata: b\n\n', ['b']],
  ['CR ends lines', 'data: a\r\rdata: b\r\r', ['a', 'b']],
  ['CR LF ends lines', 'data: a\r\ndata: b\r\n\r\n', ['a\nb']],
  ['all of them mixed', 'data: a\r\n\rdata: b\n\r\ndata: c\r\n\n', ['a', 'b', 'c']],
  ['unknown fields, and those in other letters, are nothing', 'Data: a\nfoo: b\ndata: c\n\n', ['c']],
  ['comments are no data', ': data: a\ndata: b\n:\n\n', ['b']],
])('%s', (_, stream, expected) => {
  expect(data(stream)).toEqual(expected);
});

test('an event has the name that stands before its blank line, and the next one has none of it', () => {
  const names = read('event: a\nevent: b\ndata: 1\n\ndata: 2\n\nevent: c\n\ndata: 3\n\n').events.map(
    ({ name }) => name,
  );
  expect(names).toEqual(['b', 'message', 'message']);
});

test('an id stays until another one comes; one with NUL is ignored, an empty one resets it', () => {
  const ids = read('data: 0\n\nid: 7\ndata: 1\n\ndata: 2\n\nid: 8\0\ndata: 3\n\nid\ndata: 4\n\n').events.map(
    ({ id }) => id,
  );
  expect(ids).toEqual(['', '7', '7', '7', '']);
});

test('retry is taken when it is digits and nothing else', () => {
  expect(read('retry: 2000\nretry: -1\nretry: 1.5\nretry: 10s\nretry\nretry: ٣\nretry:30\n').retries).toEqual([
    2000, 30,
  ]);
});

test('comments are told as they come, without waiting for a blank line', () => {
  expect(read(': heartbeat\n').comments).toEqual(['heartbeat']);
});

test('bytes may be cut anywhere: between CR and LF, inside a character, inside a line', () => {
  const stream = '\uFEFFretry: 5\r\n\r\nid: 1\r\nevent: é\r\ndata: 😀\r\ndata: z\r\n\r\n: c\r\rdata: ü\n\n';
  const whole = read(stream);
  expect(whole.events).toHaveLength(2);
  const length = new TextEncoder().encode(stream).length;
  for (let byte = 0; byte <= length; byte += 1) expect(read(stream, [byte])).toEqual(whole);
  fc.assert(
    fc.property(fc.array(fc.nat(length)), (at) => {
      expect(read(stream, at)).toEqual(whole);
    }),
  );
});

test('bytes that are no UTF-8 become replacement characters, and what follows is read', () => {
  const bytes = new Uint8Array([...Buffer.from('data: '), 0xff, ...Buffer.from('\n\ndata: b\n\n')]);
  expect(read(bytes).events.map((event) => event.data)).toEqual(['\uFFFD', 'b']);
});
