/**
 * What the answer of a source's server means for the slice that was asked for: bytes that go on where the last ones
 * ended, of the same file; or an end, with a code and a sentence. What may be otherwise a little later is tried again,
 * what the server has decided is final.
 */
import type { JobErrorCode } from '../../contract/errors.ts';
import type { Slice, SliceEnd, SourceFound } from '../../durable/upload/stored.ts';
import { retryAfterMs } from '../../durable/webhook/pace.ts';

type Answer = Pick<Response, 'status' | 'headers'>;

/** Pages, pictures and data, with which a server says something else than a video. */
const NO_VIDEO =
  /^(text|image|font|multipart|message)\/|^application\/(json|pdf|zip|xml|javascript|[\w.-]+\+(json|xml|zip))$/;

const CONTENT_RANGE = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/i;
const LONGEST_HEADER = 500;

/** The headers of the request for a slice. */
export function askFor({ offset, etag, last_modified }: Slice): Record<string, string> {
  const usual = { 'Accept-Encoding': 'identity', 'User-Agent': 'Reelwire' };
  if (offset === 0) return usual;
  const version = etag && !etag.startsWith('W/') ? etag : etag ? null : last_modified;
  return { ...usual, Range: `bytes=${offset}-`, ...(version && { 'If-Range': version }) };
}

/** `most`: how many bytes a source may have. */
export function judge({ status, headers }: Answer, slice: Slice, most: number): { found: SourceFound } | SliceEnd {
  if (status === 416 && slice.offset > 0) return beyondTheEnd(headers, slice);
  if (status !== 200 && status !== 206) {
    // A link that works once has nothing more to say about a file that ended.
    return slice.ended && isFinal(status) ? { is: 'whole' } : refused(status, headers);
  }
  const type = headers.get('Content-Type') ?? '';
  const essence = type.split(';')[0]?.trim().toLowerCase() ?? '';
  if (NO_VIDEO.test(essence)) return failed('source_wrong_type', `The URL leads to ${said(essence)}, not to a video.`);
  const encoding = headers.get('Content-Encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    return failed('source_wrong_type', `The server sends the source encoded (${said(encoding)}), though asked not to.`);
  }
  const length = lengthOf(status, headers, slice.offset);
  const found = {
    length: length ?? slice.length,
    etag: short(headers.get('ETag')),
    last_modified: short(headers.get('Last-Modified')),
    content_type: short(type) || 'application/octet-stream',
  };
  if (isAnother(found, slice)) return CHANGED;
  if (slice.ended && status === 200 && (length ?? slice.offset) === slice.offset) return { is: 'whole' };
  if (length === undefined || (status === 200 && slice.offset > 0)) return NOT_RESUMABLE;
  if (found.length === 0) return failed('empty_file', 'The source has no bytes. Check the URL.');
  if (found.length !== null && found.length > most) return tooLarge(most);
  return { found };
}

/** Null when it is not said, undefined when these are other bytes than those that were asked for. */
function lengthOf(status: number, headers: Headers, offset: number): number | null | undefined {
  if (status === 200) return count(headers.get('Content-Length'));
  const [, from, total] = CONTENT_RANGE.exec(headers.get('Content-Range') ?? '') ?? [];
  if (Number(from) !== offset) return undefined;
  return count(total ?? null);
}

const count = (text: string | null): number | null => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null);

/** Only what both have said can tell two versions apart. Before the first byte there is nothing to be apart from. */
function isAnother(found: SourceFound, slice: Slice): boolean {
  if (slice.offset === 0) return false;
  const differs = <T>(now: T | null, before: T | null): boolean => now !== null && before !== null && now !== before;
  if (differs(found.length, slice.length) || differs(found.etag, slice.etag)) return true;
  return (found.etag === null || slice.etag === null) && differs(found.last_modified, slice.last_modified);
}

/** Nothing lies behind what is here: of a source whose length nobody had said, that is the end. */
function beyondTheEnd(headers: Headers, { offset, length, ended }: Slice): SliceEnd {
  const total = count(/^bytes \*\/(\d+)$/i.exec(headers.get('Content-Range') ?? '')?.[1] ?? null);
  return length === null && (total === null ? ended : total === offset) ? { is: 'whole' } : CHANGED;
}

const isFinal = (status: number): boolean => status < 500 && ![408, 425, 429].includes(status);

function refused(status: number, headers: Headers): SliceEnd {
  if (!isFinal(status)) {
    const message = `The server of the source answered with ${status} again and again. Try again later.`;
    return later('source_unreachable', message, retryAfterMs(headers.get('Retry-After'), Date.now()));
  }
  return failed('source_refused', `The server of the source answered with ${status}. Check the URL.`);
}

/** An end at once. */
export const failed = (code: JobErrorCode, message: string, retryable = false): SliceEnd => ({
  ...{ is: 'failed', error: { code, message: message.slice(0, LONGEST_HEADER), retryable } },
  ...{ isFinal: true, wait_ms: 0 },
});

/** An end only when it comes again and again. */
export const later = (code: JobErrorCode, message: string, wait_ms = 0): SliceEnd => ({
  ...{ is: 'failed', error: { code, message, retryable: true }, isFinal: false, wait_ms },
});

export const tooLarge = (most: number): SliceEnd =>
  failed('source_too_large', `The source is larger than the ${most} bytes that a video may have.`);

export const CHANGED = failed('source_changed', 'The source changed while it was fetched. Try again.', true);

const NOT_RESUMABLE = failed(
  'source_not_resumable',
  'The source did not arrive in one go, and its server does not send the rest of a file (Range). Upload the video, or use another server.',
  true,
);

const short = (text: string | null): string | null => (text !== null && text.length <= LONGEST_HEADER ? text : null);

const said = (text: string): string => text.slice(0, 60).replace(/[^\w.+/-]/g, '?');
