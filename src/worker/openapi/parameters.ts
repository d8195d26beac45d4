/** Parameters that several routes have. */
import { z } from 'zod';
import { KeyId } from '../../contract/access.ts';
import { JobId, WebhookId } from '../../contract/ids.ts';
import { EventId } from '../../contract/webhooks.ts';

export const jobPath = z.object({ id: JobId.describe('The id of the job.') });
export const outputPath = jobPath.extend({
  path: z
    .string()
    .describe('What the manifests name: `master.m3u8`, `720p/t1/1.m4s`. May hold slashes, which stay as they are.'),
});
export const playPath = z.object({
  token: z.string().describe('A job token with the scope `play`.'),
  path: outputPath.shape.path,
});
export const keyPath = z.object({ id: KeyId.describe('The id of the key.') });
export const webhookPath = z.object({ id: WebhookId.describe('The id of the endpoint.') });
export const deliveryPath = webhookPath.extend({ event_id: EventId.describe('As the list of deliveries has it.') });

const LastEventId = z.string().describe('The id of the last event that arrived: the stream goes on behind it.');
export const streamHeaders = z.object({ 'Last-Event-ID': LastEventId.optional() });
export const streamQuery = z.object({
  last_event_id: LastEventId.describe(
    'As the header, which goes before it; `lastEventId` is another spelling.',
  ).optional(),
});

export const idempotency = z.object({
  'Idempotency-Key': z
    .string()
    .describe('1 to 255 visible ASCII characters. The same request again with it gets the first answer, for a day.')
    .optional(),
});

export const ranges = z.object({
  Range: z.string().describe('One range of bytes.').optional(),
  'If-Range': z.string().describe('The range is for this ETag only.').optional(),
  'If-None-Match': z.string().describe('An ETag; 304 if the file still has it.').optional(),
});
