/**
 * Takes segments to the edge as a pair's packager closes them, a lane for each rendition. When the packager is through
 * and a rendition's last commit is said, the rendition is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { PARALLEL_UPLOADS, PLAYLIST_POLL_MS } from '../limits.ts';
import { Lane, type Shipping } from './lane.ts';

/** Resolves with the duration of each rendition, in seconds, once all of them are committed. */
export async function ship(shipping: Shipping): Promise<Map<string, number>> {
  const { plan, encoded } = shipping;
  const stop = new AbortController();
  const own = { ...shipping, signal: AbortSignal.any([shipping.signal, stop.signal]) };
  const limit = pLimit(PARALLEL_UPLOADS);
  const lanes = [
    ...plan.video.map(({ name }) => new Lane(own, limit, name, 'video')),
    ...(plan.audio ? [new Lane(own, limit, plan.audio.name, 'audio')] : []),
  ];
  let over = false;
  const end = encoded.then(() => {
    over = true;
  });
  // It may reject during a sweep, when nobody looks; the next race does.
  end.catch(() => undefined);
  try {
    for (let last = false; !last; ) {
      last = over;
      for (const lane of lanes) await lane.sweep();
      if (!last) await Promise.race([end, sleep(PLAYLIST_POLL_MS, undefined, { signal: own.signal })]);
    }
    await Promise.all(lanes.map((lane) => lane.finish()));
    return new Map(lanes.map(({ name, duration }) => [name, duration]));
  } finally {
    stop.abort();
    await Promise.allSettled(lanes.map((lane) => lane.committed));
  }
}
