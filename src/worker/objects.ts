/**
 * Serves an R2 object with ranges (RFC 9110, section 14) and validators. R2 answers a range that it cannot serve with
 * the whole object and refuses tags it cannot read, so size and tag are asked for first and all is decided here.
 */
import rangeParser from 'range-parser';
import { noneMatchFails, rangeHolds } from './etags.ts';
import { ProblemError } from './problems.ts';

/** Null when there is no such object. */
export async function serve(
  bucket: R2Bucket,
  key: string,
  request: Request,
  headers: Record<string, string>,
): Promise<Response | null> {
  const head = await bucket.head(key);
  if (!head) return null;
  const { httpEtag, etag, size } = head;
  const answer = new Headers({ ...headers, ETag: httpEtag, 'Accept-Ranges': 'bytes' });
  if (noneMatchFails(request.headers.get('If-None-Match'), httpEtag)) {
    return new Response(null, { status: 304, headers: answer });
  }
  const wanted = rangeHolds(request.headers.get('If-Range'), httpEtag) ? request.headers.get('Range') : null;
  const range = wanted === null ? null : resolve(wanted, size);
  answer.set('Content-Length', String(range ? range.length : size));
  if (range) answer.set('Content-Range', `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`);
  const status = range ? 206 : 200;
  if (request.method === 'HEAD') return new Response(null, { status, headers: answer });

  const object = await bucket.get(key, { onlyIf: { etagMatches: etag }, ...(range ? { range } : {}) });
  if (!object || !('body' in object)) return null;
  return new Response(object.body, { status, headers: answer });
}

/** Null for a header that is no byte range: it is ignored, as section 14.2 says. */
function resolve(header: string, size: number): { offset: number; length: number } | null {
  const ranges = rangeParser(size, header);
  if (ranges === -2 || (ranges !== -1 && ranges.type !== 'bytes')) return null;
  const one = ranges === -1 || ranges.length !== 1 ? undefined : ranges[0];
  if (!one) {
    const headers = { 'Content-Range': `bytes */${size}` };
    throw new ProblemError('range_not_satisfiable', `Ask for one range within ${size} bytes.`, headers);
  }
  return { offset: one.start, length: one.end - one.start + 1 };
}
