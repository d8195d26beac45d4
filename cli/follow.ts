/** Follows a job to the end of its run. The SDK connects again when the stream breaks off; people are told that it does. */
import type { EndEvent, Reelwire, StreamEvent } from '../client/index.ts';

export interface Audience {
  event(event: StreamEvent): void;
  /** A sentence about the connection. */
  note(text: string): void;
}

/** Resolves with the event that ends the run; rejects with the signal's reason when that comes first. */
export async function follow(
  client: Reelwire,
  jobId: string,
  signal: AbortSignal,
  audience: Audience,
): Promise<EndEvent> {
  const watch = client.watch(jobId, { signal });
  let isLost = false;
  watch.on('connection', (state) => {
    if (state === 'waiting' && !isLost) audience.note('The connection is lost; connecting again ...');
    if (state === 'open' && isLost) audience.note('Connected again.');
    if (state === 'waiting' || state === 'open') isLost = state === 'waiting';
  });
  try {
    for await (const event of watch) audience.event(event);
    return await watch.done;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
