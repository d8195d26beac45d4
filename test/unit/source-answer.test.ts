/** What a slice of a source is asked for with, and what each answer of its server means. */
import { describe, expect, test } from 'vitest';
import type { Slice } from '../../src/durable/upload/stored.ts';
import { askFor, judge } from '../../src/worker/fetch/answer.ts';

const MOST = 1000;
const VIDEO = { 'Content-Type': 'video/mp4' };
const FIRST: Slice = { n: 1, offset: 0, ended: false, length: null, etag: null, last_modified: null };
const LATER: Slice = { ...FIRST, n: 2, offset: 10, length: 100, etag: '"1"' };
const ENDED: Slice = { ...LATER, length: null, ended: true };
const DATE = 'Wed, 21 Oct 2015 07:28:00 GMT';

/** The code of an error, else what it is. */
function meaning(status: number, headers: Record<string, string>, slice: Slice): string {
  const judged = judge({ status, headers: new Headers(headers) }, slice, MOST);
  if (!('is' in judged)) return 'bytes';
  return judged.is === 'failed' ? `${judged.error.code}${judged.isFinal ? '' : ', for now'}` : judged.is;
}

const part = (range: string, more: Record<string, string> = {}) => ({ ...VIDEO, 'Content-Range': range, ...more });

test.each<[string, Slice, object]>([
  ['the first', FIRST, {}],
  ['the next', LATER, { Range: 'bytes=10-', 'If-Range': '"1"' }],
  ['the next, of a weak version', { ...LATER, etag: 'W/"1"', last_modified: DATE }, { Range: 'bytes=10-' }],
  [
    'the next, of a dated version',
    { ...LATER, etag: null, last_modified: DATE },
    { Range: 'bytes=10-', 'If-Range': DATE },
  ],
])('%s is asked for as it is, and no other', (_, slice, expected) => {
  expect(askFor(slice)).toEqual({ 'Accept-Encoding': 'identity', 'User-Agent': 'Reelwire', ...expected });
});

test.each<[string, number, Record<string, string>, string]>([
  ['a video', 200, { ...VIDEO, 'Content-Length': '1000' }, 'bytes'],
  ['no type', 200, {}, 'bytes'],
  ['bytes of any kind', 200, { 'Content-Type': 'application/octet-stream' }, 'bytes'],
  ['one byte too many', 200, { ...VIDEO, 'Content-Length': '1001' }, 'source_too_large'],
  ['no bytes', 200, { ...VIDEO, 'Content-Length': '0' }, 'empty_file'],
  ['a page', 200, { 'Content-Type': 'Text/HTML; charset=utf-8' }, 'source_wrong_type'],
  ['a picture', 200, { 'Content-Type': 'image/png' }, 'source_wrong_type'],
  ['an error as JSON', 200, { 'Content-Type': 'application/problem+json' }, 'source_wrong_type'],
  ['several ranges', 206, { 'Content-Type': 'multipart/byteranges; boundary=x' }, 'source_wrong_type'],
  ['gzip', 200, { ...VIDEO, 'Content-Encoding': 'gzip' }, 'source_wrong_type'],
  ['identity', 200, { ...VIDEO, 'Content-Encoding': 'identity' }, 'bytes'],
  ['no content', 204, VIDEO, 'source_refused'],
  ['a way that leads nowhere', 302, {}, 'source_refused'],
  ['not allowed', 403, VIDEO, 'source_refused'],
  ['not there', 404, VIDEO, 'source_refused'],
  ['gone', 410, VIDEO, 'source_refused'],
  ['too often', 429, VIDEO, 'source_unreachable, for now'],
  ['not now', 503, VIDEO, 'source_unreachable, for now'],
])('of the first: %s', (_, status, headers, expected) => {
  expect(meaning(status, headers, FIRST)).toBe(expected);
});

describe('of what comes after byte 10', () => {
  test.each<[string, number, Record<string, string>, string]>([
    ['what was asked for', 206, part('bytes 10-99/100', { ETag: '"1"' }), 'bytes'],
    ['a part of it', 206, part('bytes 10-19/100'), 'bytes'],
    ['of a length that is not said', 206, part('bytes 10-99/*'), 'bytes'],
    ['other bytes', 206, part('bytes 9-99/100'), 'source_not_resumable'],
    ['bytes from nowhere', 206, VIDEO, 'source_not_resumable'],
    ['all of it', 200, { ...VIDEO, 'Content-Length': '100', ETag: '"1"' }, 'source_not_resumable'],
    ['all of another', 200, { ...VIDEO, 'Content-Length': '100', ETag: '"2"' }, 'source_changed'],
    ['a longer one', 200, { ...VIDEO, 'Content-Length': '101' }, 'source_changed'],
    ['a part of a longer one', 206, part('bytes 10-100/101'), 'source_changed'],
    ['a part of another', 206, part('bytes 10-99/100', { ETag: '"2"' }), 'source_changed'],
    ['no such bytes', 416, { 'Content-Range': 'bytes */10' }, 'source_changed'],
    ['gone meanwhile', 404, VIDEO, 'source_refused'],
  ])('%s', (_, status, headers, expected) => {
    expect(meaning(status, headers, LATER)).toBe(expected);
  });

  test.each<[string, number, Record<string, string>, string]>([
    ['no more bytes', 416, { 'Content-Range': 'bytes */10' }, 'whole'],
    ['no more, without saying how many there are', 416, {}, 'whole'],
    ['more than that', 416, { 'Content-Range': 'bytes */20' }, 'source_changed'],
    ['the rest, for it was cut', 206, part('bytes 10-99/100', { ETag: '"1"' }), 'bytes'],
    ['all of it: Range is not known', 200, { ...VIDEO, ETag: '"1"' }, 'whole'],
    ['all of it, which is what is here', 200, { ...VIDEO, 'Content-Length': '10' }, 'whole'],
    ['all of it, which is more', 200, { ...VIDEO, 'Content-Length': '100' }, 'source_not_resumable'],
    ['another file', 200, { ...VIDEO, ETag: '"2"' }, 'source_changed'],
    ['that the link was for one use', 403, VIDEO, 'whole'],
    ['nothing at the moment', 502, VIDEO, 'source_unreachable, for now'],
  ])('when the body has ended there, and nobody had said its length: %s', (_, status, headers, expected) => {
    expect(meaning(status, headers, ENDED)).toBe(expected);
  });
});

test('dates tell versions apart where tags do not', () => {
  const dated = { ...LATER, etag: null, last_modified: DATE };
  const other = DATE.replace('21', '22');
  expect(meaning(206, part('bytes 10-99/100', { 'Last-Modified': DATE }), dated)).toBe('bytes');
  expect(meaning(206, part('bytes 10-99/100', { 'Last-Modified': other }), dated)).toBe('source_changed');
  expect(
    meaning(206, part('bytes 10-99/100', { 'Last-Modified': other, ETag: '"1"' }), { ...LATER, last_modified: DATE }),
  ).toBe('bytes');
});
