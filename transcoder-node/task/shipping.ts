/**
 * Takes segments to the edge as a pair's packager closes them, a lane for each rendition. When the packager is through
 * and a rendition's last commit is said, the rendition is. When one of them is to be made anew, what the others have on
 * the way still arrives.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { PARALLEL_UPLOADS, PLAYLIST_POLL_MS } from '../limits.ts';
import { Lane, OtherBuild, type Shipping } from './lane.ts';

/** Resolves once all renditions are committed; rejects with `OtherBuild` if one of them is to be made anew. */
export async function ship(shipping: Shipping): Promise<void> {
  const { plan, renditions, encoded } = shipping;
  const stop = new AbortController();
  const own = { ...shipping, signal: AbortSignal.any([shipping.signal, stop.signal]) };
  const limit = pLimit(PARALLEL_UPLOADS);
  const names = [...plan.video.map(({ name }) => name), ...(plan.audio ? [plan.audio.name] : [])];
  const lanes = names.map((name) => new Lane(own, limit, renditions.get(name)));
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
    await allDone(lanes.map((lane) => lane.finish()));
  } catch (error) {
    if (error instanceof OtherBuild) await Promise.allSettled(lanes.map((lane) => lane.committed));
    throw error;
  } finally {
    stop.abort();
    await Promise.allSettled(lanes.map((lane) => lane.committed));
  }
}

/** Waits for every one, and rejects with what is worse than `OtherBuild`, if there is such a thing. */
async function allDone(finishes: ReadonlyArray<Promise<void>>): Promise<void> {
  const ends = await Promise.allSettled(finishes);
  const errors = ends.flatMap((finish) => (finish.status === 'rejected' ? [finish.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => !(error instanceof OtherBuild)) ?? errors[0];
}
