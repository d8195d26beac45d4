/**
 * A part of the renditions through a pair of their own, until all of them are whole. Usually that is one round. There is
 * another one when a rendition turns out to have been begun by another build of the encoder: the pair is stopped, what it
 * has closed still arrives, and the next pair goes on from there.
 */
import { mkdir } from 'node:fs/promises';
import { runPair } from '../media/pair.ts';
import type { Reference } from '../media/reference.ts';
import { findStart } from '../media/seek.ts';
import type { Watchdog } from '../media/watchdog.ts';
import type { Encoding } from './encode.ts';
import { removeFolder } from './folders.ts';
import { OtherBuild } from './lane.ts';
import type { Part } from './renditions.ts';
import { ship } from './shipping.ts';

export interface Half {
  readonly part: Part;
  /** Made on the way, if no rung goes on from the middle. */
  readonly references: readonly Reference[];
  readonly folder: string;
  readonly nice: number;
  readonly watchdog: Watchdog;
  readonly onFrame: (rendition: string, frames: number) => void;
  readonly onRendition: (name: string) => void;
}

export interface HalfEnd {
  readonly decodeErrors: number;
  /** The references that were asked for are there. */
  readonly references: boolean;
}

/** `signal` ends it together with the others. */
export async function makeHalf(encoding: Encoding, half: Half, signal: AbortSignal): Promise<HalfEnd> {
  try {
    for (;;) {
      try {
        return await makeRound(encoding, half, signal);
      } catch (error) {
        if (!(error instanceof OtherBuild)) throw error;
        encoding.log.warn({ reason: error.message }, 'another round');
      }
      await removeFolder(half.folder);
    }
  } finally {
    half.watchdog.stop();
  }
}

async function makeRound(encoding: Encoding, half: Half, signal: AbortSignal): Promise<HalfEnd> {
  const { binaries, lease, renditions } = encoding;
  const { folder, nice, watchdog, onFrame, onRendition } = half;
  const missing = renditions.missingOf(half.part);
  const plan = { ...encoding.plan, ...missing };
  const made = renditions.made(missing.video);
  const references = made.size === 0 ? half.references : [];
  if (missing.audio) await renditions.get(missing.audio.name).begin();
  await mkdir(folder, { recursive: true });
  const start = await findStart({ binaries, folder, signal, nice }, { ...encoding, rungs: missing.video, made });
  watchdog.advance();
  const apart = new AbortController();
  const pair = runPair({
    ...{ ...encoding, plan, start, references, folder, nice, watchdog, onFrame },
    signal: AbortSignal.any([signal, apart.signal]),
  });
  const shipped = ship({ lease, plan, folder, renditions, signal, encoded: pair, onRendition });
  try {
    const [{ decodeErrors }] = await Promise.all([pair, shipped]);
    return { decodeErrors, references: references.length === half.references.length };
  } finally {
    apart.abort();
    await Promise.allSettled([pair, shipped]);
  }
}
