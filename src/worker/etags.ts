/** Entity tags (RFC 9110, sections 8.8.3 and 13.1). */

/** Whether `If-None-Match` names this tag. The comparison is weak; anything that is no list of tags matches nothing. */
export function noneMatchFails(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const tags: string[] = header.match(/"[^"]*"/g) ?? [];
  return header.trim() === '*' || tags.includes(etag);
}

/** Whether a `Range` may be honoured: without `If-Range`, or with the very same tag (a strong comparison). */
export const rangeHolds = (ifRange: string | null, etag: string): boolean =>
  ifRange === null || ifRange.trim() === etag;
