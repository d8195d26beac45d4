/** Webhook endpoints, in the words of the document, and the events that are sent to them. */
import type { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  DeliveriesPage,
  DeliveriesQuery,
  Delivery,
  RotateRequest,
  Webhook,
  WebhookChange,
  WebhookDeleted,
  WebhookEvent,
  WebhookRequest,
  WebhooksPage,
  WebhooksQuery,
  WebhookWithSecret,
} from '../../contract/webhooks.ts';
import { answer, BODY, json, type Operation, type Operations, URL_GIVEN } from './operation.ts';
import { deliveryPath, webhookPath } from './parameters.ts';

const WEBHOOK = ['webhook_not_found', 'webhooks_unavailable'] as const;

function change(id: string, summary: string, schema: z.ZodType): Operation {
  return {
    tag: 'Webhooks',
    id,
    summary,
    path: webhookPath,
    answers: { 200: answer('Done.', schema) },
    problems: WEBHOOK,
  };
}

export const WEBHOOK_OPERATIONS: Operations = {
  'GET /webhooks': {
    tag: 'Webhooks',
    id: 'listWebhooks',
    summary: 'List endpoints, newest first',
    query: WebhooksQuery,
    answers: { 200: answer('A page of endpoints.', WebhooksPage) },
    problems: ['invalid_request', 'invalid_field', 'webhooks_unavailable'],
  },
  'POST /webhooks': {
    tag: 'Webhooks',
    id: 'createWebhook',
    summary: 'Have events of all jobs sent to a URL',
    body: { required: true, content: json(WebhookRequest) },
    answers: { 201: answer('The endpoint, with the secret that signs.', WebhookWithSecret) },
    problems: [...BODY, ...URL_GIVEN, 'webhooks_unavailable'],
  },
  'GET /webhooks/:id': change('getWebhook', 'Read an endpoint', Webhook),
  'PATCH /webhooks/:id': {
    ...change('changeWebhook', 'Change an endpoint', Webhook),
    body: { required: true, content: json(WebhookChange) },
    problems: [...WEBHOOK, ...BODY, ...URL_GIVEN, 'invalid_field'],
  },
  'DELETE /webhooks/:id': change('deleteWebhook', 'Delete an endpoint', WebhookDeleted),
  'POST /webhooks/:id/rotate': {
    ...change('rotateSecret', 'Change the secret; the old one signs a while longer', WebhookWithSecret),
    body: { content: json(RotateRequest) },
    problems: [...WEBHOOK, ...BODY],
  },
  'POST /webhooks/:id/enable': change('enableWebhook', 'Send again what was kept', Webhook),
  'POST /webhooks/:id/disable': change('disableWebhook', 'Send nothing, and keep events', Webhook),
  'POST /webhooks/:id/test': {
    ...change('testWebhook', 'Send a test event', Webhook),
    answers: { 202: answer('It is on its way.', Delivery) },
    problems: [...WEBHOOK, 'webhook_disabled'],
  },
  'GET /webhooks/:id/deliveries': {
    ...change('listDeliveries', 'List events and their attempts, newest first', DeliveriesPage),
    query: DeliveriesQuery,
    problems: [...WEBHOOK, 'invalid_request'],
  },
  'POST /webhooks/:id/deliveries/:event_id/redeliver': {
    ...change('redeliver', 'Send an event again', Delivery),
    path: deliveryPath,
    answers: { 202: answer('It is on its way.', Delivery) },
    problems: [...WEBHOOK, 'delivery_not_found', 'webhook_disabled'],
  },
};

/** What this server sends. */
export const SENT_EVENTS: ZodOpenApiPathsObject = Object.fromEntries(
  WebhookEvent.options.map((option) => {
    const type = option.shape.type.value;
    const operation = {
      operationId: `on ${type}`.replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase()),
      summary: `Sent to endpoints that ask for ${type}`,
      description: 'Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`.',
      tags: ['Webhooks'],
      security: [],
      requestBody: { required: true, content: json(option) },
      responses: {
        '2XX': { description: 'Received.' },
        '410': { description: 'Send no more: the endpoint is disabled.' },
      },
    };
    return [type, { post: operation }];
  }),
);
