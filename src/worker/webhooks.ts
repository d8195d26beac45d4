/**
 * The routes of webhook endpoints. Each endpoint's object decides; the list only shows which there are. An address is
 * checked before it becomes an endpoint's, and again before every delivery.
 */
import { type Context, Hono } from 'hono';
import type { Accepted } from '../contract/api.ts';
import { WebhookId } from '../contract/ids.ts';
import {
  DeliveriesQuery,
  EventId,
  RotateRequest,
  Webhook,
  WebhookChange,
  type WebhookDeleted,
  WebhookRequest,
  type WebhooksPage,
  WebhooksQuery,
} from '../contract/webhooks.ts';
import { settings } from '../durable/env.ts';
import { guardsFrom } from '../durable/resolver.ts';
import { guard } from '../durable/url-guard.ts';
import { implicitId } from '../durable/webhook/ids.ts';
import type { Webhook as WebhookObject } from '../durable/webhook/webhook.ts';
import type { App } from './app.ts';
import { positionOf, readPage } from './paging.ts';
import { ProblemError, parse, unwrap } from './problems.ts';
import { json } from './queue-api.ts';

const PAGE = `SELECT id, created_at, summary FROM webhooks
  WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`;

const AWAY = {
  code: 'webhooks_unavailable',
  detail: 'Try again in a moment. Events are sent all the same, and each endpoint can be reached by its id.',
} as const;

/** What open mode adds to a refusal. */
const FOR_DEVELOPMENT = ' To allow any host here, for development: ALLOW_PRIVATE_URLS=1 in .dev.vars, and a restart.';

export const webhooks = new Hono<App>()
  .get('/', async (c) => {
    const { limit, cursor } = parse(WebhooksQuery, c.req.query());
    const statement = { sql: PAGE, values: [...positionOf(cursor), limit + 1] };
    const page = await readPage(c.env.DB, statement, { limit, summary: Webhook, away: AWAY });
    return c.json({ webhooks: page.shown, next_cursor: page.next_cursor } satisfies WebhooksPage);
  })
  .post('/', async (c) => {
    const { url, events, description } = parse(WebhookRequest, await json(c));
    const id = crypto.randomUUID();
    const endpoint = { id, owner: null, implicit: false, url: await checkedUrl(c, url), events, description };
    return c.json(unwrap(await c.env.WEBHOOK.getByName(id).create(endpoint)), 201);
  })
  .get('/:id', async (c) => {
    const webhook = await webhookObject(c).view();
    if (!webhook) throw webhookNotFound();
    return c.json(webhook);
  })
  .patch('/:id', async (c) => {
    const { url, ...change } = parse(WebhookChange, await json(c));
    const checked = url === undefined ? {} : { url: await checkedUrl(c, url) };
    return c.json(unwrap(await webhookObject(c).change({ ...change, ...checked })));
  })
  .delete('/:id', async (c) => {
    unwrap(await webhookObject(c).remove());
    return c.json({ id: webhookId(c), status: 'deleted' } satisfies WebhookDeleted);
  })
  .post('/:id/rotate', async (c) => {
    const { overlap_seconds } = parse(RotateRequest, await json(c, '{}'));
    return c.json(unwrap(await webhookObject(c).rotate(overlap_seconds * 1000)));
  })
  .post('/:id/enable', async (c) => c.json(unwrap(await webhookObject(c).enable())))
  .post('/:id/disable', async (c) => c.json(unwrap(await webhookObject(c).disable())))
  .post('/:id/test', async (c) => c.json(unwrap(await webhookObject(c).sendTest()), 202))
  .get('/:id/deliveries', async (c) => {
    const { limit, cursor } = parse(DeliveriesQuery, c.req.query());
    return c.json(unwrap(await webhookObject(c).deliveries(limit, cursor)));
  })
  .post('/:id/deliveries/:event_id/redeliver', async (c) => {
    const { data: event } = EventId.safeParse(c.req.param('event_id'));
    if (!event)
      throw new ProblemError('delivery_not_found', 'An event id begins with msg_; GET .../deliveries lists them.');
    return c.json(unwrap(await webhookObject(c).redeliver(event)), 202);
  });

/** The URL as it will be fetched; a problem if it may not be. */
export async function checkedUrl(c: Context<App>, url: string): Promise<string> {
  const guarded = await guard(url, guardsFrom(settings(c.env)));
  if (guarded.ok) return guarded.value.href;
  const isForDevelopment = c.get('isOpen') && ['url_refused', 'url_unresolved'].includes(guarded.code);
  throw new ProblemError(guarded.code, guarded.detail + (isForDevelopment ? FOR_DEVELOPMENT : ''));
}

/** The endpoint that jobs of this caller share when they have this `webhook_url`; the first of them makes it. */
export async function webhookOfJobs(c: Context<App>, url: string): Promise<NonNullable<Accepted['webhook']>> {
  const principal = c.get('principal');
  const owner = principal.kind === 'key' ? principal.id : null;
  const id = implicitId(owner, url);
  const { events } = WebhookRequest.parse({ url });
  const given = { id, owner, implicit: true, url, events, description: null };
  const { secret } = await c.env.WEBHOOK.getByName(id).ensure(given);
  return { id, secret };
}

function webhookId(c: Context<App, '/:id/*'>): string {
  const { success, data } = WebhookId.safeParse(c.req.param('id'));
  if (!success) throw webhookNotFound();
  return data;
}

const webhookObject = (c: Context<App, '/:id/*'>): DurableObjectStub<WebhookObject> =>
  c.env.WEBHOOK.getByName(webhookId(c));

const webhookNotFound = (): ProblemError =>
  new ProblemError('webhook_not_found', 'There is no endpoint with this id; it may have been deleted.');
