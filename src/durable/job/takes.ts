/**
 * Takes: what one lease made of one rendition. Every accepted commit is kept; per segment number the first one is
 * published and stays so for ever, whatever later takes bring. A later take may begin in the middle: together they make
 * the rendition whole if their init segments are equal.
 */
import type { TakeSegment } from '../../contract/job.ts';
import type { JobState } from './state.ts';

/** Encoding at least this much faster than real time, a rung that is not finished may join the master. */
const JOIN_SPEED = 1.2;

/** No listed playlist runs further than this many segments ahead of the shortest unfinished one: players stall otherwise. */
const AHEAD = 3;

export interface Track {
  /** The first committed segment per number, from 1 up to the first gap or the first one without its init segment. */
  published: TakeSegment[];
  /** The init segment of each take. */
  inits: Map<number, TakeSegment>;
}

export function track(segments: readonly TakeSegment[]): Track {
  const first = new Map<number, TakeSegment>();
  const inits = new Map<number, TakeSegment>();
  for (const segment of segments) {
    if (segment.n === 0) inits.set(segment.take, segment);
    else if (!first.has(segment.n)) first.set(segment.n, segment);
  }
  const published: TakeSegment[] = [];
  for (let n = 1; ; n++) {
    const segment = first.get(n);
    if (!segment || !inits.has(segment.take)) return { published, inits };
    published.push(segment);
  }
}

/** The digest of the init segment that `segments`, whichever take made them, have in common; null when they differ. */
export function sharedInit(segments: readonly TakeSegment[], inits: Track['inits']): string | null {
  const digests = new Set(segments.map(({ take }) => inits.get(take)?.sha256));
  const [digest] = digests;
  return digests.size === 1 && digest ? digest : null;
}

/** What makes a rendition whole: one take, or what is published of several. Null while it is not. */
export function wholeOf({ whole, segments }: Pick<JobState, 'whole' | 'segments'>, name: string): TakeSegment[] | null {
  const made = whole[name];
  if (!made) return null;
  const all = segments[name] ?? [];
  return made.take === null ? track(all).published.slice(0, made.segments) : takeOf(all, made.take);
}

/** The segments of one take, in order. */
export function takeOf(segments: readonly TakeSegment[], take: number): TakeSegment[] {
  return segments.filter((segment) => segment.take === take && segment.n > 0).sort((a, b) => a.n - b.n);
}

const length = (state: JobState, name: string): number => track(state.segments[name] ?? []).published.length;

/** How many segments of each rendition a playlist may show now. */
export function shownLimit(state: JobState): number {
  if (state.status === 'completed') return Number.POSITIVE_INFINITY;
  const unfinished = [...state.listed, ...(state.plan?.audio ? ['audio'] : [])].filter((name) => !state.whole[name]);
  return Math.min(...unfinished.map((name) => length(state, name))) + AHEAD;
}

/**
 * The rungs that belong in the master now: once listed, always listed; a whole rung; and one that has begun, is encoded
 * fast enough, and does not lag so far that playlists in use would have to shrink. None before the audio has begun.
 */
export function rungsToList(state: JobState): string[] {
  const { plan, listed, whole } = state;
  if (!plan || (plan.audio && length(state, 'audio') === 0)) return [];
  const inUse = listed.length > 0 && plan.audio ? [...listed, 'audio'] : listed;
  const longest = Math.min(shownLimit(state), Math.max(0, ...inUse.map((name) => length(state, name))));
  const mayJoin = (name: string): boolean => {
    const own = length(state, name);
    return (state.speed[name] ?? 0) >= JOIN_SPEED && own > 0 && own + AHEAD >= longest;
  };
  return plan.video.map(({ name }) => name).filter((name) => listed.includes(name) || whole[name] || mayJoin(name));
}
