/**
 * What one job asks of the platform: from its log, where it stands there (segments, files, bytes, seconds), and by rule
 * where it does not. The rules are those of docs/cost.md.
 */
import { type Entry, endsRun } from '../../src/contract/entries.ts';
import { PART_BYTES } from '../../src/contract/transcoder.ts';
import type { Counts } from './prices.ts';

export interface Audience {
  /** How many follow the stream to the end. */
  watchers: number;
  /** How often the finished video is played through. */
  plays: number;
  /** How long it is kept. */
  days: number;
}

/** Sources go to R2 in parts of so many bytes. */
const SOURCE_PART_BYTES = 8 * 2 ** 20;
/** A task under way; measured. */
const REPORTS_PER_SECOND = 3;
/** The lease's timer, and the alarm that is set for it. */
const ROWS_PER_REPORT = 2;
/** Duration is billed for 128 MB. */
const OBJECT_GB = 0.128;
/** An object stays for so long after its last request. */
const LINGER_SECONDS = 10;
/** A doorbell is written, read and deleted. */
const OPERATIONS_PER_DOORBELL = 3;
/** For an output: is the job final, how large is it, its bytes. */
const READS_PER_OUTPUT = 3;
const DAYS_PER_MONTH = 30;

export function countsOf(log: readonly Entry[], { watchers, plays, days }: Audience): Counts {
  const of = <T extends Entry['type']>(type: T) =>
    log.filter((one): one is Extract<Entry, { type: T }> => one.type === type);
  const commits = of('_segments').flatMap(({ data }) => data.commits);
  const files = of('_artifact').flatMap(({ data }) => data.files);
  const source = of('_source').at(-1)?.data ?? of('_job').at(-1)?.data.source ?? null;
  const bytes = source?.size_bytes ?? 0;
  const result = of('complete').at(-1)?.data.details.result;
  const manifests = (result?.artifacts ?? []).filter(({ type }) => /mpegurl|dash\+xml/i.test(type));
  const attempts = of('_lease').length;
  const seconds = secondsUnderLease(log);

  const parts = files.reduce(
    (sum, file) => sum + (file.bytes > PART_BYTES ? Math.ceil(file.bytes / PART_BYTES) + 1 : 0),
    0,
  );
  const stored = commits.length + files.length + parts;
  const reports = Math.ceil(seconds * REPORTS_PER_SECOND);
  const calls = attempts * 3 + reports + stored;
  const pieces = played(commits);
  const sourceParts = Math.ceil(bytes / SOURCE_PART_BYTES);
  const held = commits.reduce(
    (sum, commit) => sum + commit.bytes,
    bytes + files.reduce((sum, file) => sum + file.bytes, 0),
  );
  const doorbells = of('state').filter(({ data }) => data.details.state === 'queued').length;
  return {
    worker_requests: 1 + calls + watchers + plays * pieces,
    object_requests: 3 + sourceParts + calls + attempts + watchers,
    object_gb_seconds: (seconds + LINGER_SECONDS) * OBJECT_GB,
    rows_written: log.length + reports * ROWS_PER_REPORT + sourceParts,
    queue_operations: Math.max(doorbells, attempts) * OPERATIONS_PER_DOORBELL,
    r2_class_a: 2 + sourceParts + stored + manifests.length + 1 + 3,
    r2_class_b: attempts * 2 + plays * pieces * READS_PER_OUTPUT,
    r2_gb_months: (held / 1e9) * (days / DAYS_PER_MONTH),
  };
}

/** While a lease is held its object is never idle. */
function secondsUnderLease(log: readonly Entry[]): number {
  let ms = 0;
  let since: number | null = null;
  for (const entry of log) {
    if (entry.type === '_lease') since ??= entry.at;
    else if (since !== null && endsLease(entry)) {
      ms += entry.at - since;
      since = null;
    }
  }
  return ms / 1000;
}

const endsLease = (entry: Entry): boolean =>
  endsRun(entry) || (entry.type === 'state' && ['queued', 'released'].includes(entry.data.details.state));

/** Requests of a player that stays on one rung: the master, two playlists, a rung's and the sound's segments with their inits. */
function played(commits: readonly { rendition: string; n: number }[]): number {
  const renditions = Map.groupBy(commits, ({ rendition }) => rendition);
  const longest = Math.max(0, ...[...renditions].filter(([name]) => name !== 'audio').map(([, some]) => some.length));
  return 3 + longest + (renditions.get('audio')?.length ?? 0);
}
