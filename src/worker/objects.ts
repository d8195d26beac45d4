/** Serves an R2 object with ranges (RFC 9110, section 14) and validators. */
import rangeParser from 'range-parser';
import { ProblemError } from './problems.ts';

export async function serve(
  bucket: R2Bucket,
  key: string,
  request: Request,
  headers: Record<string, string>,
): Promise<Response | null> {
  const wanted = request.headers.get('Range');
  const conditions = new Headers();
  const known = request.headers.get('If-None-Match');
  if (known) conditions.set('If-None-Match', known);
  const range = wanted ? await resolve(bucket, key, wanted) : null;
  if (range === 'missing') return null;

  const object = await bucket.get(key, { onlyIf: conditions, ...(range ? { range } : {}) });
  if (!object) return null;
  const answer = new Headers({ ...headers, ETag: object.httpEtag, 'Accept-Ranges': 'bytes' });
  if (!('body' in object)) return new Response(null, { status: 304, headers: answer });
  if (!range) {
    answer.set('Content-Length', String(object.size));
    return new Response(object.body, { headers: answer });
  }
  const { offset, length } = range;
  answer.set('Content-Length', String(length));
  answer.set('Content-Range', `bytes ${offset}-${offset + length - 1}/${object.size}`);
  return new Response(object.body, { status: 206, headers: answer });
}

/**
 * R2 answers a range that it cannot serve with the whole object, so the size is asked for first. A header that is not
 * a byte range is ignored, as section 14.2 says.
 */
async function resolve(
  bucket: R2Bucket,
  key: string,
  header: string,
): Promise<{ offset: number; length: number } | null | 'missing'> {
  const head = await bucket.head(key);
  if (!head) return 'missing';
  const ranges = rangeParser(head.size, header);
  if (ranges === -2) return null;
  const one = ranges === -1 || ranges.length !== 1 ? undefined : ranges[0];
  if (ranges !== -1 && ranges.type !== 'bytes') return null;
  if (!one) {
    const headers = { 'Content-Range': `bytes */${head.size}` };
    throw new ProblemError('range_not_satisfiable', `Ask for one range within ${head.size} bytes.`, headers);
  }
  return { offset: one.start, length: one.end - one.start + 1 };
}
