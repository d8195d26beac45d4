/** Connections that are dead without saying so, and machines without a network. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Fetch } from '../../client/index.ts';
import { held, stream, told } from './faulty.ts';
import { failure, faulty, impatient, JOB, record, TRANSPORTS } from './watching.ts';

const COMPLETE = stream(told(100, 'complete'));

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A `fetch` that knows how often its reader has asked for more, and so has handled all there was before. */
function counting(): { fetch: Fetch; asked(times: number): Promise<void> } {
  let count = 0;
  let look = (): void => undefined;
  const fetch: Fetch = async (url, init) => {
    const { status, headers, body } = await globalThis.fetch(url, init);
    const reader = body?.getReader();
    const counted = new ReadableStream<Uint8Array>(
      {
        async pull(out) {
          count += 1;
          look();
          const read = await reader?.read();
          if (read?.value) out.enqueue(read.value);
          else out.close();
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(counted, { status, headers });
  };
  const asked = (times: number) =>
    new Promise<void>((resolve) => {
      look = () => count >= times && resolve();
      look();
    });
  return { fetch, asked };
}

describe('silence', () => {
  test('a stream that says nothing for 45 s counts as lost; heartbeats and events keep it', async () => {
    const { step, opened } = held();
    const server = await faulty(step, COMPLETE);
    const { fetch, asked } = counting();
    const { client, waits } = impatient({ url: server.url, fetch });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const watch = client.watch(JOB);
    const connection = await opened;
    await asked(1);
    for (const [i, text] of [': heartbeat\n\n', told(1), ': heartbeat\n\n'].entries()) {
      vi.advanceTimersByTime(44_999);
      connection.write(text);
      await asked(i + 2);
    }
    expect([watch.state, server.requests.length]).toEqual(['open', 1]);
    vi.advanceTimersByTime(45_000);
    await watch.done;
    expect([server.resumedFrom, waits.length]).toEqual([[null, '1'], 1]);
  });

  test('a server that does not answer at all counts as lost too', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const server = await faulty(() => resolve());
    const { client } = impatient({ url: server.url, maxAttempts: 0 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const watch = client.watch(JOB);
    await asked;
    vi.advanceTimersByTime(45_000);
    const error = await failure(watch.done);
    expect(error).toMatchObject({ code: 'gave_up' });
    expect(String(error)).toContain('45 s');
  });
});

/** Plays the part of a browser. */
class Network extends EventTarget {
  onLine: boolean;
  readonly #listeners = new Set<unknown>();

  constructor(onLine: boolean) {
    super();
    this.onLine = onLine;
    vi.stubGlobal('navigator', this);
    vi.stubGlobal('addEventListener', (change: string, listener: () => void) => {
      this.#listeners.add(listener);
      this.addEventListener(change, listener);
    });
    vi.stubGlobal('removeEventListener', (change: string, listener: () => void) => {
      this.#listeners.delete(listener);
      this.removeEventListener(change, listener);
    });
  }

  /** Nobody listens any more. */
  isFree(): Promise<void> {
    return expect.poll(() => this.#listeners.size).toBe(0);
  }

  turn(change: 'online' | 'offline'): void {
    this.onLine = change === 'online';
    this.dispatchEvent(new Event(change));
  }
}

describe.each(TRANSPORTS)('offline, over %s', (_, transport) => {
  test('it does not connect before there is a network', async () => {
    const network = new Network(false);
    const server = await faulty(COMPLETE);
    const { client, waits } = impatient({ url: server.url, maxAttempts: 0, ...transport });
    const watch = client.watch(JOB);
    const { untilState } = record(watch);
    await untilState('offline');
    expect(server.requests).toHaveLength(0);
    network.turn('online');
    await watch.done;
    expect(waits).toEqual([]);
    await network.isFree();
  });

  test('a stream pauses with the network, without using an attempt, and goes on after the last event', async () => {
    const { step, opened } = held();
    const network = new Network(true);
    const server = await faulty(step, COMPLETE);
    const { client, waits } = impatient({ url: server.url, maxAttempts: 0, ...transport });
    const watch = client.watch(JOB);
    const { until, untilState, states } = record(watch);
    (await opened).write(told(1));
    await until(1);
    network.turn('offline');
    await untilState('offline');
    network.turn('online');
    await watch.done;
    expect([server.resumedFrom, waits]).toEqual([[null, '1'], []]);
    expect(states).toEqual(['connecting', 'open', 'offline', 'connecting', 'open', 'closed']);
  });

  test('a wait becomes a pause, and is over with it', async () => {
    const network = new Network(true);
    const server = await faulty(stream(told(1)), COMPLETE);
    const delay = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    const { client } = impatient({ url: server.url, delay, ...transport });
    const watch = client.watch(JOB);
    const { untilState } = record(watch);
    await untilState('waiting');
    network.turn('offline');
    await untilState('offline');
    network.turn('online');
    expect((await watch.done).id).toBe(100);
    await network.isFree();
  });

  test('a pause is over when the watch is closed', async () => {
    const network = new Network(false);
    const server = await faulty();
    const { client } = impatient({ url: server.url, ...transport });
    const watch = client.watch(JOB);
    const { untilState } = record(watch);
    await untilState('offline');
    watch.close();
    expect(await failure(watch.done)).toMatchObject({ code: 'closed' });
    expect(server.requests).toHaveLength(0);
    await network.isFree();
  });
});
