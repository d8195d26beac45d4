/** Webhook endpoints over HTTP, and what was sent to them. Needs a key with the role admin. */
import type { Requests } from './requests.ts';
import type { DeliveriesPage, Delivery, EventType, Webhook, WebhooksPage, WebhookWithSecret } from './types.ts';

export interface NewWebhook {
  /** Where events are sent: an absolute http or https address that anybody can reach. */
  url: string;
  /** Which events. Default: all but `job.progress`. */
  events?: EventType[];
  /** For people, at most 255 characters. Default: none. */
  description?: string | null;
}

export interface WebhookPaging {
  /** At most so many, 1 to 100. Default 20. */
  limit?: number;
  /** `next_cursor` of the page before. Default, or null: the first page. */
  cursor?: string | null;
}

export interface WebhookDeleted {
  id: string;
  status: 'deleted';
}

export class Webhooks {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Makes an endpoint for the events of all jobs. Its secret is told here, by `rotate()`, and never else. */
  async create(webhook: NewWebhook): Promise<WebhookWithSecret> {
    return this.#send('POST', this.#requests.address('/webhooks'), webhook);
  }

  /** A page of all endpoints, newest first; `next_cursor` is null on the last. */
  async list(paging: WebhookPaging = {}): Promise<WebhooksPage> {
    return this.#requests.json(this.#requests.address(`/webhooks?${queryOf(paging)}`));
  }

  async get(id: string): Promise<Webhook> {
    return this.#requests.json(this.#address(id));
  }

  /** What is left out stays as it is. */
  async update(id: string, change: Partial<NewWebhook>): Promise<Webhook> {
    return this.#send('PATCH', this.#address(id), change);
  }

  /** From then on nothing is sent to it. */
  async delete(id: string): Promise<WebhookDeleted> {
    return this.#send('DELETE', this.#address(id));
  }

  /** A new secret; the old one signs beside it for so many seconds, by default for a day. */
  async rotate(id: string, { overlapSeconds }: { overlapSeconds?: number } = {}): Promise<WebhookWithSecret> {
    const body = overlapSeconds === undefined ? {} : { overlap_seconds: overlapSeconds };
    return this.#send('POST', this.#address(id, '/rotate'), body);
  }

  /** Events that were kept meanwhile go out at once. */
  async enable(id: string): Promise<Webhook> {
    return this.#send('POST', this.#address(id, '/enable'));
  }

  async disable(id: string): Promise<Webhook> {
    return this.#send('POST', this.#address(id, '/disable'));
  }

  /** Sends a `webhook.test`; `deliveries()` tells what became of it. */
  async test(id: string): Promise<Delivery> {
    return this.#send('POST', this.#address(id, '/test'));
  }

  /** A page of the endpoint's events with all attempts, newest first. */
  async deliveries(id: string, paging: WebhookPaging = {}): Promise<DeliveriesPage> {
    return this.#requests.json(this.#address(id, `/deliveries?${queryOf(paging)}`));
  }

  /** Sends an event again, under its id. */
  async redeliver(id: string, eventId: string): Promise<Delivery> {
    return this.#send('POST', this.#address(id, `/deliveries/${encodeURIComponent(eventId)}/redeliver`));
  }

  #send<T>(method: string, address: string, body?: object): Promise<T> {
    if (body === undefined) return this.#requests.json(address, { method });
    const headers = { 'Content-Type': 'application/json' };
    return this.#requests.json(address, { method, headers, body: JSON.stringify(body) });
  }

  #address(id: string, path = ''): string {
    if (typeof id !== 'string' || id === '')
      throw new TypeError('An endpoint id must be a string, as the server gave it.');
    return this.#requests.address(`/webhooks/${encodeURIComponent(id)}${path}`);
  }
}

function queryOf({ limit = 20, cursor }: WebhookPaging): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor !== undefined && cursor !== null) query.set('cursor', cursor);
  return query;
}
