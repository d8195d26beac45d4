/** The calls to `/webhooks` that tests make, each answer checked against the contract. */
import type { z } from 'zod';
import { Accepted } from '../../src/contract/api.ts';
import { DeliveriesPage, Delivery, Webhook, WebhookWithSecret } from '../../src/contract/webhooks.ts';

export class WebhookCalls {
  readonly #edge: string;

  constructor(edge: string) {
    this.#edge = edge;
  }

  make(url: string, more: object = {}): Promise<WebhookWithSecret> {
    return this.#call(WebhookWithSecret, 'POST', '', { url, ...more });
  }

  get(id: string): Promise<Webhook> {
    return this.#call(Webhook, 'GET', `/${id}`);
  }

  test(id: string): Promise<Delivery> {
    return this.#call(Delivery, 'POST', `/${id}/test`);
  }

  enable(id: string): Promise<Webhook> {
    return this.#call(Webhook, 'POST', `/${id}/enable`);
  }

  disable(id: string): Promise<Webhook> {
    return this.#call(Webhook, 'POST', `/${id}/disable`);
  }

  rotate(id: string, body?: object): Promise<WebhookWithSecret> {
    return this.#call(WebhookWithSecret, 'POST', `/${id}/rotate`, body);
  }

  redeliver(id: string, event: string): Promise<Delivery> {
    return this.#call(Delivery, 'POST', `/${id}/deliveries/${event}/redeliver`);
  }

  /** All events of an endpoint, newest first. */
  async deliveries(id: string): Promise<Delivery[]> {
    const all: Delivery[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = `limit=100${cursor && `&cursor=${cursor}`}`;
      const page: DeliveriesPage = await this.#call(DeliveriesPage, 'GET', `/${id}/deliveries?${query}`);
      all.push(...page.deliveries);
      cursor = page.next_cursor;
    }
    return all;
  }

  /** An event of an endpoint, by default the only one. */
  async delivery(id: string, event?: string): Promise<Delivery> {
    const all = await this.deliveries(id);
    const found = all.filter(({ event_id }) => event === undefined || event_id === event);
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} deliveries`);
    return found[0];
  }

  /** A job with a `webhook_url`. */
  async submit(webhook_url: string, fields: Record<string, string> = {}): Promise<Accepted> {
    const query = new URLSearchParams({ key: 'clip', ...fields, webhook_url });
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await fetch(`${this.#edge}/process?${query}`, { method: 'POST', body: 'no video', headers });
    if (answer.status !== 202) throw new Error(await answer.text());
    return Accepted.parse(await answer.json());
  }

  async #call<S extends z.ZodType>(schema: S, method: string, path: string, body?: object): Promise<z.infer<S>> {
    const init = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
    const answer = await fetch(`${this.#edge}/webhooks${path}`, { method, ...init });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return schema.parse(await answer.json());
  }
}
