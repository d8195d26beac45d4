/** The queues of the loopback edge. A pulled message is hidden until it is acknowledged, handed back, or a test says so. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

export const QUEUE = 'reelwire-transcode';
export const HIGH = 'reelwire-transcode-high';

export interface Queued {
  readonly queue: string;
  readonly body: unknown;
  lease_id: string;
  state: 'ready' | 'pulled' | 'acked';
  pulls: number;
}

const LeaseIds = z.array(z.object({ lease_id: z.string() }).transform(({ lease_id }) => lease_id)).default([]);
const Pull = z.object({ batch_size: z.int().min(1).max(100), visibility_timeout_ms: z.int() });
const Acks = z.object({ acks: LeaseIds, retries: LeaseIds });

export class LoopbackQueues {
  readonly messages: Queued[] = [];
  /** Come as they are, before the messages of the next answer that has any. */
  readonly odd: unknown[] = [];

  push(body: unknown, queue: string): Queued {
    const message: Queued = { queue, body, lease_id: randomUUID(), state: 'ready', pulls: 0 };
    this.messages.push(message);
    return message;
  }

  /** As when its visibility time-out is over. */
  comeAgain(message: Queued): void {
    message.state = 'ready';
    message.lease_id = randomUUID();
  }

  pull(queue: string | undefined, json: unknown): object {
    const { batch_size } = Pull.parse(json);
    const ready = this.messages.filter((one) => one.queue === queue && one.state === 'ready').slice(0, batch_size);
    const messages = ready.map((message) => {
      message.state = 'pulled';
      message.pulls += 1;
      return { body: message.body, lease_id: message.lease_id, id: message.lease_id, attempts: message.pulls };
    });
    const odd = messages.length > 0 ? this.odd.splice(0) : [];
    return answer({ messages: [...odd, ...messages], message_backlog_count: 0 });
  }

  ack(queue: string | undefined, json: unknown): object {
    const { acks, retries } = Acks.parse(json);
    for (const message of this.messages) {
      if (message.queue !== queue || message.state !== 'pulled') continue;
      if (acks.includes(message.lease_id)) message.state = 'acked';
      if (retries.includes(message.lease_id)) this.comeAgain(message);
    }
    return answer({ ackCount: acks.length, retryCount: retries.length });
  }
}

const answer = (result: object): object => ({ success: true, errors: [], messages: [], result });
