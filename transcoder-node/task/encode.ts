/**
 * Makes what is missing, in two pairs at once (half.ts): the lowest rung and the audio first, so that a picture can be
 * shown after a second or two, all other rungs at a low priority beside it. Both read the source by themselves, and
 * what they make leaves as it appears. When either fails, both end. The second pair may have to wait for the processor
 * while the first one works; so long it does not count as stalled.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { FIRST_NICE, PROGRESS_GAP_MS, REST_NICE } from '../limits.ts';
import type { Binaries } from '../media/binaries.ts';
import type { Source } from '../media/probe.ts';
import type { Reference } from '../media/reference.ts';
import { Watchdog } from '../media/watchdog.ts';
import { type Half, makeHalf } from './half.ts';
import { EncodeProgress } from './progress.ts';
import type { Renditions } from './renditions.ts';

export interface Encoding {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly input: string;
  readonly source: Source;
  readonly plan: Plan;
  /** Made on the way, if the pair that would make them has pictures to make and begins at the beginning. */
  readonly references: readonly Reference[];
  readonly renditions: Renditions;
  readonly stallMs: number;
  readonly lease: Lease;
  readonly log: Logger;
  /** A rendition is at the edge, and whole on this disk. */
  readonly onRendition: (name: string) => void;
}

export interface Encoded {
  /** Of the longest rung that was missing, in seconds, with what of it was there; null when only audio was missing. */
  readonly duration: number | null;
  readonly decodeErrors: number;
  /** The references are made. */
  readonly references: boolean;
}

export async function encode(encoding: Encoding): Promise<Encoded> {
  const { plan, lease, renditions } = encoding;
  const { video } = renditions.missing;
  const progress = new EncodeProgress(plan, video, renditions.made(video), lease.grant.attempt, performance.now());
  const apart = new AbortController();
  const signal = AbortSignal.any([lease.signal, apart.signal]);
  const runs = halves(encoding, progress).map((half) => makeHalf(encoding, half, signal));
  const ticker = setInterval(() => lease.say(progress.sample(performance.now())), PROGRESS_GAP_MS);
  try {
    const ends = await Promise.all(runs);
    lease.say(progress.sample(performance.now()));
    const seconds = video.map(({ name }) => renditions.get(name).seconds);
    return {
      duration: seconds.length > 0 ? Math.max(...seconds) : null,
      decodeErrors: Math.max(...ends.map(({ decodeErrors }) => decodeErrors)),
      references: seconds.length > 0 && ends.every(({ references }) => references),
    };
  } finally {
    clearInterval(ticker);
    apart.abort();
    await Promise.allSettled(runs);
  }
}

/** The pairs that have something to make. The references are left to the second one where there is one. */
function halves(
  { plan, references, renditions, folder, stallMs, ...encoding }: Encoding,
  progress: EncodeProgress,
): Half[] {
  const { video, audio } = renditions.missing;
  const lowest = plan.video[0]?.name;
  const rest = { video: video.filter(({ name }) => name !== lowest), audio: null };
  const first = { video: video.filter(({ name }) => name === lowest), audio };
  const following = {
    onFrame: (rendition: string, frames: number) => progress.frame(rendition, frames),
    onRendition: (name: string) => {
      progress.renditionDone(name);
      encoding.onRendition(name);
    },
  };
  const found: Half[] = [];
  if (rest.video.length > 0) {
    const watchdog = new Watchdog(stallMs);
    found.push({ part: rest, references, folder: join(folder, 'rest'), nice: REST_NICE, watchdog, ...following });
  }
  if (first.video.length > 0 || first.audio) {
    const watchdog = new Watchdog(stallMs, ...found.map((other) => other.watchdog));
    const own = video.length > 0 && found.length === 0 ? references : [];
    found.unshift({
      part: first,
      references: own,
      folder: join(folder, 'first'),
      nice: FIRST_NICE,
      watchdog,
      ...following,
    });
  }
  return found;
}
