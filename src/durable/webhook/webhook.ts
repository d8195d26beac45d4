/**
 * One Durable Object per webhook endpoint: its settings and secrets, its outbox, the log of its attempts. Jobs hand
 * their events over and are done with them; from then on everything happens here, at the pace of this receiver alone.
 *
 * There is one alarm, for whatever comes first: an attempt, the list that has not heard of a change, old events.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  DeliveriesPage,
  Delivery,
  WebhookChange,
  WebhookEvent,
  Webhook as WebhookView,
  WebhookWithSecret,
} from '../../contract/webhooks.ts';
import { type Env, settings } from '../env.ts';
import { Refusal } from '../job/draft.ts';
import type { WebhookMessage } from '../job/webhook-events.ts';
import { answer, type Outcome } from '../outcome.ts';
import { Courier } from './courier.ts';
import { type Endpoint, EndpointRow, LIST_NOW, made, type NewEndpoint, revised, rotated, viewOf } from './endpoint.ts';
import { eventId, randomEventId } from './ids.ts';
import { Listing } from './listing.ts';
import { Outbox } from './outbox.ts';
import { HEALTHY, isOpen } from './pace.ts';

const DAY_MS = 86_400_000;

/** Old events are forgotten at most so much later. */
const FORGET_EVERY_MS = 3_600_000;

/** When an alarm that failed comes again. */
const FAILED_MS = 60_000;

export class Webhook extends DurableObject<Env> {
  readonly #row: EndpointRow;
  readonly #outbox: Outbox;
  readonly #courier: Courier;
  readonly #listing: Listing;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#row = new EndpointRow(ctx.storage.sql);
    this.#outbox = new Outbox(ctx.storage.sql);
    this.#courier = new Courier(ctx.storage, this.#row, this.#outbox, () => this.#act());
    this.#listing = new Listing(ctx.storage, this.#row, () => this.#arm());
    if (!this.#row.load()) return;
    this.#outbox.recover(Date.now(), Number.MAX_SAFE_INTEGER);
    this.#arm();
  }

  /** Refuses, and leaves nothing, when the list cannot hear of it: jobs would not either. */
  async create(given: NewEndpoint): Promise<Outcome<WebhookWithSecret>> {
    const endpoint = this.#make(given);
    if (await this.#listing.tell(this.env)) return { ok: true, value: withSecret(endpoint) };
    this.#remove(endpoint);
    this.#act();
    return { ok: false, code: 'webhooks_unavailable', detail: 'Try again in a moment.' };
  }

  /** Makes the endpoint unless it is there. The secret is told by the call that has made it. */
  async ensure(given: NewEndpoint): Promise<{ secret: string | null }> {
    const known = this.#row.load();
    if (known && !known.deleted) return { secret: null };
    const { secret } = withSecret(this.#make(given));
    this.#act();
    return { secret };
  }

  async view(): Promise<WebhookView | null> {
    const endpoint = this.#row.load();
    return endpoint && !endpoint.deleted ? viewOf(endpoint) : null;
  }

  async change({ url, events, description }: WebhookChange): Promise<Outcome<WebhookView>> {
    return this.#change((endpoint) => {
      const moves = url !== undefined && url !== endpoint.url;
      if (moves && endpoint.implicit) {
        const message = 'url: this endpoint belongs to the webhook_url of jobs. Make one with POST /webhooks instead.';
        throw new Refusal('invalid_field', message);
      }
      if (moves) this.#outbox.release(Date.now());
      const health = moves ? HEALTHY : endpoint.health;
      const text = description === undefined ? endpoint.description : description;
      return { ...endpoint, health, url: url ?? endpoint.url, events: events ?? endpoint.events, description: text };
    }, viewOf);
  }

  async rotate(overlapMs: number): Promise<Outcome<WebhookWithSecret>> {
    return this.#change((endpoint) => rotated(endpoint, Date.now(), overlapMs), withSecret);
  }

  /** What was kept goes out at once. */
  async enable(): Promise<Outcome<WebhookView>> {
    return this.#change((endpoint) => {
      this.#outbox.release(Date.now());
      return { ...endpoint, disabled: null, health: HEALTHY };
    }, viewOf);
  }

  async disable(): Promise<Outcome<WebhookView>> {
    return this.#change((endpoint) => {
      const disabled = { code: 'by_request', message: 'Disabled by request.', at: Date.now() } as const;
      return { ...endpoint, disabled: endpoint.disabled ?? disabled };
    }, viewOf);
  }

  /** From now on nobody finds it, and nothing is sent any more. */
  async remove(): Promise<Outcome<null>> {
    return this.#listed(this.#answer((endpoint) => this.#remove(endpoint)));
  }

  /** An event that is about nothing but the endpoint. */
  async sendTest(): Promise<Outcome<Delivery>> {
    return this.#answer((endpoint) => {
      refuseIfDisabled(endpoint);
      const at = Date.now();
      const event: WebhookEvent = {
        type: 'webhook.test',
        timestamp: new Date(at).toISOString(),
        data: { webhook_id: endpoint.id },
      };
      const id = randomEventId();
      this.#outbox.add({ id, job: null, seq: null, type: event.type, body: JSON.stringify(event) }, at, at);
      return this.#sendAgain(endpoint, id);
    });
  }

  async redeliver(id: string): Promise<Outcome<Delivery>> {
    return this.#answer((endpoint) => this.#sendAgain(endpoint, id));
  }

  async deliveries(limit: number, cursor?: number): Promise<Outcome<DeliveriesPage>> {
    return this.#answer(() => {
      const { deliveries, next } = this.#outbox.page(limit, cursor);
      return { deliveries, next_cursor: next === null ? null : String(next) };
    });
  }

  /** What a job has to tell, stored when this returns; what is here already, or not wanted, is dropped. */
  async accept(job: string, events: WebhookMessage[]): Promise<{ wantsProgress: boolean }> {
    const endpoint = this.#row.load();
    if (!endpoint || endpoint.deleted) return { wantsProgress: false };
    const now = Date.now();
    const dueAt = now + (settings(this.env).WEBHOOK_SCHEDULE_MS[0] ?? 0);
    for (const { seq, type, body } of events) {
      if (endpoint.events.includes(type)) {
        this.#outbox.add({ id: eventId(endpoint.id, job, seq), job, seq, type, body }, now, dueAt);
      }
    }
    this.#act();
    return { wantsProgress: endpoint.events.includes('job.progress') };
  }

  /** Never throws: the platform would repeat it with growing delays and, in the end, drop it. */
  override async alarm(): Promise<void> {
    try {
      if (this.#row.load()) this.#outbox.forget(Date.now() - this.#keptMs);
      this.#act();
    } catch (error) {
      console.error(JSON.stringify({ msg: 'webhook alarm failed', error: String(error) }));
      await this.ctx.storage.setAlarm(Date.now() + FAILED_MS);
    }
  }

  #make(given: NewEndpoint): Endpoint {
    this.#row.create();
    this.#outbox.create();
    const endpoint = made(given, Date.now(), this.#row.load()?.version ?? 0);
    this.#row.save(endpoint);
    return endpoint;
  }

  #remove(endpoint: Endpoint): null {
    this.#outbox.clear();
    this.#row.save({ ...endpoint, deleted: true, version: endpoint.version + 1, listing: LIST_NOW });
    return null;
  }

  async #change<T>(act: (endpoint: Endpoint) => Endpoint, show: (endpoint: Endpoint) => T): Promise<Outcome<T>> {
    const outcome = this.#answer((before) => {
      const after = revised(before, act(before), Date.now());
      this.#row.save(after);
      return show(after);
    });
    return this.#listed(outcome);
  }

  /** Whoever asks after a change finds it in the list, if the list can be reached. */
  async #listed<T>(outcome: Outcome<T>): Promise<Outcome<T>> {
    if (!outcome.ok) return outcome;
    const told = this.#listing.tell(this.env);
    this.#act();
    await told;
    return outcome;
  }

  /** At once, even while the endpoint is failing: then it is the next to be tried. */
  #sendAgain(endpoint: Endpoint, id: string): Delivery {
    refuseIfDisabled(endpoint);
    if (!this.#outbox.again(id, Date.now())) {
      throw new Refusal('delivery_not_found', 'The endpoint has no event with this id; it may have been too long ago.');
    }
    if (isOpen(endpoint.health)) {
      this.#row.save({ ...endpoint, health: { ...endpoint.health, quiet_until: Date.now() } });
    }
    this.#act();
    const delivery = this.#outbox.find(id);
    if (!delivery) throw new Error('An event of the outbox is gone');
    return delivery;
  }

  #answer<T>(act: (endpoint: Endpoint) => T): Outcome<T> {
    const endpoint = this.#row.load();
    return answer(() => {
      if (!endpoint || endpoint.deleted) {
        throw new Refusal('webhook_not_found', 'There is no endpoint with this id; it may have been deleted.');
      }
      return act(endpoint);
    });
  }

  /** Does what is due, and sets the alarm for the rest. */
  #act(): void {
    const now = Date.now();
    const endpoint = this.#row.load();
    if (!endpoint) return;
    if (endpoint.listing && endpoint.listing.due_at <= now) this.ctx.waitUntil(this.#listing.tell(this.env));
    for (const attempt of this.#courier.begin(this.env, endpoint, now)) this.ctx.waitUntil(attempt);
    this.#arm();
  }

  #arm(): void {
    const endpoint = this.#row.load();
    if (!endpoint) return;
    const oldest = this.#outbox.oldest;
    const times = [
      endpoint.listing?.due_at ?? null,
      this.#courier.nextAt(endpoint, Date.now()),
      oldest === null ? null : oldest + this.#keptMs + FORGET_EVERY_MS,
    ].filter((time) => time !== null);
    const at = Math.max(Date.now(), Math.min(...times));
    void (times.length === 0 ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(at));
  }

  get #keptMs(): number {
    return settings(this.env).RETENTION_DAYS * DAY_MS;
  }
}

function refuseIfDisabled({ disabled }: Endpoint): void {
  if (disabled) throw new Refusal('webhook_disabled', 'Enable the endpoint first; it says why it is disabled.');
}

const withSecret = (endpoint: Endpoint): WebhookWithSecret => ({
  ...viewOf(endpoint),
  secret: endpoint.secrets[0]?.secret ?? '',
});
