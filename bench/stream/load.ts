/**
 * One case: channels are made, watchers connect, events are posted, and what arrives is measured. A latency counts from
 * the moment the POST begins until the watcher has the whole event, both by this process's clock.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Case } from './cases.ts';
import { type Channel, type Kind, type Marked, Publisher } from './channels.ts';
import { mark, microseconds } from './marker.ts';
import { cpuMicroseconds, memoryKb } from './tree.ts';
import { Audience } from './watcher.ts';

/** Whoever got nothing for so long gets no more. */
const SILENCE_MS = 5000;

export const Measured = z.object({
  /** Milliseconds. */
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  /** From the first POST until all have all. */
  total: z.number(),
  /** Percent of what had to be delivered. */
  delivered: z.number(),
  gaps: z.number(),
  repeats: z.number(),
  /** Streams that the server ended. */
  closed: z.number(),
  /** Microseconds of the server's process tree for each delivery. */
  cpu: z.number(),
  /** KB of the server's process tree for each watcher, connected and active, over none. */
  memory: z.number(),
  /** By how many MB the server's process tree grew from the warm-up to the end. */
  growth: z.number(),
  /** How much of one core this process needed, and how much the server's process tree. */
  generator_load: z.number(),
  server_load: z.number(),
});
export type Measured = z.infer<typeof Measured>;

export async function runCase(one: Case, kind: Kind, port: number, pid: number): Promise<Measured> {
  const publisher = new Publisher(kind, port);
  const audience = new Audience(port);
  try {
    const pad = 'x'.repeat(one.bytes - (await bareBytes(await publisher.open(), port)));
    const idle = memoryKb(pid);
    const channels: Channel[] = [];
    for (let n = 0; n < one.channels; n++) channels.push(await publisher.open());
    for (const { path } of channels) {
      await audience.stuck(path, one.stuck);
      await audience.watch(path, one.watchers);
    }
    const numbers = channels.map(() => 0);
    const perPost = Math.min(one.perPost, publisher.mostPerPost);

    const nextBatch = (index: number): Marked[] => {
      const at = microseconds();
      const first = (numbers[index] ?? 0) + 1;
      numbers[index] = first + perPost - 1;
      return Array.from({ length: perPost }, (_, n) => ({ message: mark(first + n, at), pad }));
    };
    const deliver = async (events: number): Promise<void> => {
      audience.expect(one.channels * one.watchers * events);
      await postAll(one.rate, channels, events / perPost, nextBatch);
      await audience.all(SILENCE_MS);
    };

    await deliver(one.warmUp);
    const warm = memoryKb(pid);
    const [server, own, begun] = [cpuMicroseconds(pid), process.cpuUsage(), microseconds()];
    await deliver(one.events);
    const total = microseconds() - begun;
    const used = cpuMicroseconds(pid) - server;
    const { user, system } = process.cpuUsage(own);
    const end = memoryKb(pid);

    const expected = one.channels * one.watchers * one.events;
    const latencies = audience.latencies();
    const { received, gaps, repeats, closed } = audience;
    return {
      p50: quantile(latencies, 0.5) / 1000,
      p99: quantile(latencies, 0.99) / 1000,
      max: quantile(latencies, 1) / 1000,
      total: total / 1000,
      delivered: (100 * received) / expected,
      ...{ gaps, repeats, closed },
      cpu: used / received,
      memory: (end - idle) / (one.channels * (one.watchers + one.stuck)),
      growth: (end - warm) / 1024,
      generator_load: (user + system) / total,
      server_load: used / total,
    };
  } finally {
    audience.close();
    publisher.close();
  }
}

/**
 * `posts` POSTs to every channel, spread evenly over time. A channel's POSTs keep their order: one that is due while
 * the one before is not answered waits, and its time counts from when it was due.
 */
async function postAll(
  rate: Case['rate'],
  channels: readonly Channel[],
  posts: number,
  nextBatch: (index: number) => Marked[],
): Promise<void> {
  const posted = channels.map(() => Promise.resolve());
  const begun = performance.now();
  for (let n = 0; n < posts; n++) {
    for (const [index, channel] of channels.entries()) {
      const before = posted[index];
      if (rate === null) {
        await before;
      } else {
        const early = begun + (n + index / channels.length) * (1000 / rate) - performance.now();
        if (early > 0) await wait(early);
      }
      const batch = nextBatch(index);
      posted[index] = (before ?? Promise.resolve()).then(() => channel.post(batch));
    }
  }
  await Promise.all(posted);
}

/** How long an event without padding is, as server-sent text. */
async function bareBytes(channel: Channel, port: number): Promise<number> {
  const answer = await fetch(`http://localhost:${port}${channel.path}`, { headers: { Accept: 'text/event-stream' } });
  if (!answer.body) throw new Error('the stream has no body');
  await channel.post([{ message: mark(1, microseconds()), pad: '' }]);
  let got = '';
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    got += part;
    const event = got
      .split('\n\n')
      .slice(0, -1)
      .find((text) => text.includes('#'));
    if (event !== undefined) return event.length + 2;
  }
  throw new Error('the stream ended before its first event');
}

function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
