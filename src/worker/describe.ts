/**
 * What a caller says about a video, in whatever form it comes: as form fields, in the query, or beside an upload. What
 * an upload token says goes before what its bearer says.
 */
import type { Context } from 'hono';
import type { z } from 'zod';
import { JobOptions, Key, Metadata } from '../contract/job.ts';
import { WebhookUrl } from '../contract/webhooks.ts';
import { settings } from '../durable/env.ts';
import type { Description } from '../durable/upload/stored.ts';
import { nameOf, uploadToken } from './access/principal.ts';
import type { App } from './app.ts';
import { ProblemError, parse } from './problems.ts';
import { checkedUrl } from './webhooks.ts';

export const FIELDS = ['key', 'metadata', 'options', 'webhook_url'];

/** What the caller has said; the URL is checked, and there is no endpoint of it yet. */
export type Said = Omit<Description, 'webhook'> & { webhookUrl: string | null };

export async function describe(
  c: Context<App>,
  fields: Map<string, string>,
  filename: string,
  contentType: string,
): Promise<Said> {
  const granted = uploadToken(c)?.grant;
  const said = {
    key: parse(Key, fields.get('key') ?? fallbackKey(filename), 'invalid_field', 'key'),
    metadata: jsonField(fields, 'metadata', Metadata),
    options: jsonField(fields, 'options', JobOptions),
    content_type: contentType,
    by: nameOf(c.get('principal')),
    webhookUrl: await webhookUrl(c, fields.get('webhook_url')),
  };
  return { ...said, key: granted?.key ?? said.key, options: granted?.options ?? said.options };
}

/** How many bytes a video of this caller may have. */
export const mostBytes = (c: Context<App>): number =>
  Math.min(settings(c.env).MAX_UPLOAD_BYTES, uploadToken(c)?.grant.max_bytes ?? Number.POSITIVE_INFINITY);

/** Who has an upload token is nobody to be told a secret. */
async function webhookUrl(c: Context<App>, given: string | undefined): Promise<string | null> {
  if (given === undefined) return null;
  if (uploadToken(c)) throw new ProblemError('forbidden', 'webhook_url: send the video with a key.');
  return checkedUrl(c, parse(WebhookUrl, given, 'invalid_field', 'webhook_url'));
}

/** A file name comes from the sender's disk: what cannot stand in a key is left out rather than refused. */
export const fallbackKey = (filename: string): string => filename.replace(/\p{Cc}/gu, '').slice(0, 255) || 'video';

/** A field whose value is a JSON object; absent, it is an empty one. */
function jsonField<S extends z.ZodType>(fields: Map<string, string>, name: string, schema: S): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(fields.get(name) ?? '{}');
  } catch {
    throw new ProblemError('invalid_field', `${name} must be a JSON object.`);
  }
  return parse(schema, value, 'invalid_field', name);
}
