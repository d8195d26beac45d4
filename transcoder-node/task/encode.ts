/**
 * Makes what is missing, in two pairs at once: the lowest rung and the audio first, so that a picture can be shown
 * after a second or two, all other rungs at a low priority beside it. Both read the source by themselves, and what
 * they make leaves as it appears. When either fails, both end. The second pair may have to wait for the processor
 * while the first one works; so long it does not count as stalled.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { FIRST_NICE, PROGRESS_GAP_MS, REST_NICE } from '../limits.ts';
import type { Binaries } from '../media/binaries.ts';
import { runPair } from '../media/pair.ts';
import type { Source } from '../media/probe.ts';
import type { Reference } from '../media/reference.ts';
import { Watchdog } from '../media/watchdog.ts';
import { EncodeProgress } from './progress.ts';
import type { Renditions } from './renditions.ts';
import { ship } from './shipping.ts';

export interface Encoding {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly input: string;
  readonly source: Source;
  readonly plan: Plan;
  /** Made on the way if any picture is. */
  readonly references: readonly Reference[];
  readonly renditions: Renditions;
  readonly stallMs: number;
  readonly lease: Lease;
  readonly log: Logger;
  /** A rendition is at the edge, and whole on this disk. */
  readonly onRendition: (name: string) => void;
}

export interface Encoded {
  /** Of the longest rung that was made, in seconds; null when only audio was missing. */
  readonly duration: number | null;
  readonly decodeErrors: number;
}

interface Half {
  readonly plan: Plan;
  readonly references: readonly Reference[];
  readonly folder: string;
  readonly nice: number;
  readonly watchdog: Watchdog;
}

export async function encode(encoding: Encoding): Promise<Encoded> {
  const { plan, lease, renditions } = encoding;
  const progress = new EncodeProgress(plan, renditions.missing.video, lease.grant.attempt, performance.now());
  const apart = new AbortController();
  const signal = AbortSignal.any([lease.signal, apart.signal]);
  const runs = halves(encoding).flatMap((half) => {
    const onFrame = (rendition: string, frames: number) => progress.frame(rendition, frames);
    const pair = runPair({ ...encoding, ...half, signal, onFrame });
    const onRendition = (name: string) => {
      progress.renditionDone(name);
      encoding.onRendition(name);
    };
    const shipped = ship({ ...{ lease, renditions, signal, onRendition }, ...half, encoded: pair });
    return [{ pair, shipped }];
  });
  const ticker = setInterval(() => lease.say(progress.sample(performance.now())), PROGRESS_GAP_MS);
  try {
    const ends = await Promise.all(runs.map(({ pair, shipped }) => Promise.all([pair, shipped])));
    lease.say(progress.sample(performance.now()));
    const seconds = ends.flatMap(([, durations]) => plan.video.flatMap(({ name }) => durations.get(name) ?? []));
    return {
      duration: seconds.length > 0 ? Math.max(...seconds) : null,
      decodeErrors: Math.max(...ends.map(([{ decodeErrors }]) => decodeErrors)),
    };
  } finally {
    clearInterval(ticker);
    apart.abort();
    await Promise.allSettled(runs.flatMap(({ pair, shipped }) => [pair, shipped]));
  }
}

/** The pairs that have something to make. The references are left to the second one where there is one. */
function halves({ plan, references, renditions, folder, stallMs }: Encoding): Half[] {
  const { video, audio } = renditions.missing;
  const lowest = plan.video[0]?.name;
  const rest = { video: video.filter(({ name }) => name !== lowest), audio: null };
  const first = { video: video.filter(({ name }) => name === lowest), audio };
  const found: Half[] = [];
  if (rest.video.length > 0) {
    const own = { folder: join(folder, 'rest'), nice: REST_NICE, watchdog: new Watchdog(stallMs) };
    found.push({ plan: { ...plan, ...rest }, references, ...own });
  }
  if (first.video.length > 0 || first.audio) {
    const watchdog = new Watchdog(stallMs, ...found.map((other) => other.watchdog));
    const own = { folder: join(folder, 'first'), nice: FIRST_NICE, watchdog };
    found.unshift({
      plan: { ...plan, ...first },
      references: video.length > 0 && found.length === 0 ? references : [],
      ...own,
    });
  }
  return found;
}
