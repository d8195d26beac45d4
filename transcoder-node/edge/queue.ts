/**
 * The pull consumer. A message is a doorbell: its body may arrive as an object, as JSON text or as base64 of JSON,
 * depending on how it was sent; whatever is none of these, or names no task, comes out as `doorbell: null`.
 */
import Cloudflare from 'cloudflare';
import { z } from 'zod';
import { Doorbell } from '../../src/contract/transcoder.ts';
import type { QueueAddress } from '../config.ts';
import { PULL_TIMEOUT_MS, VISIBILITY_MS } from '../limits.ts';

export interface Message {
  readonly leaseId: string;
  readonly doorbell: Doorbell | null;
}

const Pulled = z.object({
  messages: z.array(z.object({ lease_id: z.string(), body: z.unknown() })).default([]),
});

export class Queue {
  readonly #client: Cloudflare;
  readonly #address: QueueAddress;

  constructor(address: QueueAddress) {
    this.#address = address;
    this.#client = new Cloudflare({
      apiToken: address.token,
      maxRetries: 0,
      timeout: PULL_TIMEOUT_MS,
      ...(address.baseUrl && { baseURL: address.baseUrl }),
    });
  }

  async pull(most: number, signal: AbortSignal): Promise<Message[]> {
    const { account, queue } = this.#address;
    const answer = await this.#client.queues.messages.pull(
      queue,
      { account_id: account, batch_size: most, visibility_timeout_ms: VISIBILITY_MS },
      { signal },
    );
    return Pulled.parse(answer).messages.map((message) => ({
      leaseId: message.lease_id,
      doorbell: readDoorbell(message.body),
    }));
  }

  async ack(leaseId: string, signal: AbortSignal): Promise<void> {
    const { account, queue } = this.#address;
    await this.#client.queues.messages.ack(queue, { account_id: account, acks: [{ lease_id: leaseId }] }, { signal });
  }
}

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
