/**
 * The pull consumer of the account's queues. A message is a doorbell: its body may arrive as an object, as JSON text or
 * as base64 of JSON, depending on how it was sent; whatever is none of these, or names no task, comes out as
 * `doorbell: null`, and is no harm to those beside it. Every call has a signal of its own: the SDK never takes its
 * listener off, and its time limit ends with the headers.
 */
import Cloudflare from 'cloudflare';
import { z } from 'zod';
import { Doorbell } from '../../src/contract/transcoder.ts';
import type { QueueAddress } from '../config.ts';
import { PULL_TIMEOUT_MS, VISIBILITY_MS } from '../limits.ts';

export interface Message {
  readonly queue: string;
  /** Null when it came without: nothing can be said to the queue about it. */
  readonly leaseId: string | null;
  readonly doorbell: Doorbell | null;
}

const Pulled = z.object({ messages: z.array(z.unknown()).nullish() });
const Envelope = z.object({ lease_id: z.string(), body: z.unknown() });

export class Queue {
  /** In the order in which they are asked. */
  readonly names: readonly string[];
  readonly #client: Cloudflare;
  readonly #account: string;

  constructor({ baseUrl, account, queues, token }: QueueAddress) {
    this.names = queues;
    this.#account = account;
    this.#client = new Cloudflare({
      apiToken: token,
      maxRetries: 0,
      timeout: PULL_TIMEOUT_MS,
      ...(baseUrl && { baseURL: baseUrl }),
    });
  }

  async pull(queue: string, most: number, signal: AbortSignal): Promise<Message[]> {
    const answer = await this.#client.queues.messages.pull(
      queue,
      { account_id: this.#account, batch_size: most, visibility_timeout_ms: VISIBILITY_MS },
      limited(signal),
    );
    return (Pulled.parse(answer).messages ?? []).map((message) => {
      const { success, data } = Envelope.safeParse(message);
      return { queue, leaseId: success ? data.lease_id : null, doorbell: success ? readDoorbell(data.body) : null };
    });
  }

  ack(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    return this.#settle('acks', messages, signal);
  }

  /** They come again at once, to whoever has a free slot. */
  handBack(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    return this.#settle('retries', messages, signal);
  }

  async #settle(how: 'acks' | 'retries', messages: readonly Message[], signal: AbortSignal): Promise<void> {
    for (const [queue = '', those] of Map.groupBy(messages, (message) => message.queue)) {
      const list = those.flatMap(({ leaseId }) => (leaseId === null ? [] : [{ lease_id: leaseId }]));
      if (list.length === 0) continue;
      await this.#client.queues.messages.ack(queue, { account_id: this.#account, [how]: list }, limited(signal));
    }
  }
}

const limited = (signal: AbortSignal): { signal: AbortSignal } => ({
  signal: AbortSignal.any([signal, AbortSignal.timeout(PULL_TIMEOUT_MS)]),
});

export function readDoorbell(body: unknown): Doorbell | null {
  const readings =
    typeof body === 'string' ? [body, Buffer.from(body, 'base64').toString('utf8')].map(fromJson) : [body];
  for (const reading of readings) {
    const parsed = Doorbell.safeParse(reading);
    if (parsed.success) return parsed.data;
  }
  return null;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
