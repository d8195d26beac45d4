/**
 * Removes objects of a job, a slice at a time: within its time it goes through pages of the listing, and says where to
 * go on. Every call has an end.
 */
import { within } from '../timing.ts';

const SLICE_MS = 8000;
const CALL_MS = 5000;

/** Removes what lies below `prefix` and `isKept` does not hold. Null when all was seen, else the cursor to go on from. */
export async function sweep(
  bucket: R2Bucket,
  prefix: string,
  isKept: (path: string) => boolean,
  from: string | null,
): Promise<string | null> {
  const end = Date.now() + SLICE_MS;
  let cursor = from;
  do {
    const page = await within(CALL_MS, bucket.list({ prefix, ...(cursor === null ? {} : { cursor }) }));
    const doomed = page.objects.map(({ key }) => key).filter((key) => !isKept(key.slice(prefix.length)));
    if (doomed.length > 0) await within(CALL_MS, bucket.delete(doomed));
    cursor = page.truncated ? page.cursor : null;
  } while (cursor !== null && Date.now() < end);
  return cursor;
}
