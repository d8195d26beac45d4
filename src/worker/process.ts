/**
 * `POST /process`: a video as a form or as the bare body becomes a job. The job is made when the body is whole; of a
 * body that is cut, refused or too large nothing stays.
 */
import type { Context } from 'hono';
import type { z } from 'zod';
import type { Accepted } from '../contract/api.ts';
import { JobOptions, Key, Metadata } from '../contract/job.ts';
import { WebhookUrl } from '../contract/webhooks.ts';
import { settings } from '../durable/env.ts';
import type { Description } from '../durable/upload.ts';
import { nameOf, uploadToken } from './access/principal.ts';
import type { App } from './app.ts';
import { duplicateField, readForm, unknownField } from './form.ts';
import { ProblemError, parse } from './problems.ts';
import { SourceUpload, tooLarge } from './source.ts';
import { refuseSpent, spend } from './tokens.ts';
import { checkedUrl, webhookOfJobs } from './webhooks.ts';

/** What the caller may say about the video, as form fields or, with a bare body, in the query. */
const FIELDS = ['key', 'metadata', 'options', 'webhook_url'];

/** A form is larger than its file by its boundaries, headers and fields; no more than this. */
const FORM_OVERHEAD = 64 * 1024;

const RAW = /^(video\/[\w.+-]+|application\/octet-stream)\s*(;|$)/i;
const FORM = /^multipart\/form-data\s*(;|$)/i;

/**
 * A chunked body that is cut reaches the Worker like one that ended (workerd 1.20260918, behind wrangler dev), so
 * without its length a bare body could be half a file. A form has its closing boundary.
 */
const LENGTH_REQUIRED = 'Send a bare body with its Content-Length, or use a form.';

export async function process(c: Context<App>): Promise<Response> {
  const upload = new SourceUpload(c.env, mostBytes(c));
  const work = receive(c, upload);
  // Goes on after the client has gone, so that what it began is cleaned up at once.
  c.executionCtx.waitUntil(Promise.allSettled([work]));
  const webhook = await work;

  const { job_id } = upload;
  const at = `${new URL(c.req.url).origin}/jobs/${job_id}`;
  const accepted: Accepted = {
    job_id,
    message: 'Video processing started',
    status_url: at,
    stream_url: `${at}/stream`,
    ...(webhook && { webhook }),
  };
  return c.json(accepted, 202);
}

type Webhook = NonNullable<Accepted['webhook']>;

/** The endpoint is made last: of what is refused before nothing stays. */
async function receive(c: Context<App>, upload: SourceUpload): Promise<Webhook | null> {
  const token = uploadToken(c);
  try {
    if (token) await refuseSpent(c, token);
    const { webhookUrl, ...description } = await body(c, upload);
    if (token) await spend(c, token);
    const webhook = webhookUrl === null ? null : await webhookOfJobs(c, webhookUrl);
    await upload.complete({ ...description, webhook: webhook?.id });
    return webhook;
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** What the caller has said; the URL is checked. */
type Said = Description & { webhookUrl: string | null };

async function body(c: Context<App>, upload: SourceUpload): Promise<Said> {
  const contentType = c.req.header('Content-Type') ?? '';
  const length = Number(c.req.header('Content-Length') ?? Number.NaN);
  const limit = mostBytes(c);

  if (FORM.test(contentType)) {
    if (length > limit + FORM_OVERHEAD) throw tooLarge(limit);
    const form = await readForm(c.req.raw, FIELDS, (file) => upload.store(file));
    return describe(c, form.fields, form.filename, form.contentType);
  }
  if (RAW.test(contentType)) {
    if (Number.isNaN(length)) throw new ProblemError('length_required', LENGTH_REQUIRED);
    if (length > limit) throw tooLarge(limit);
    const description = await describe(c, queryFields(c), '', contentType);
    const size = await upload.store(chunks(c.req.raw));
    if (size !== length) throw incomplete();
    return description;
  }
  throw new ProblemError('unsupported_media_type', 'Send multipart/form-data, video/* or application/octet-stream.');
}

const mostBytes = (c: Context<App>): number =>
  Math.min(settings(c.env).MAX_UPLOAD_BYTES, uploadToken(c)?.grant.max_bytes ?? Number.POSITIVE_INFINITY);

/** What an upload token says goes before what its bearer says. */
async function describe(
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

/** Who has an upload token is nobody to be told a secret. */
async function webhookUrl(c: Context<App>, given: string | undefined): Promise<string | null> {
  if (given === undefined) return null;
  if (uploadToken(c)) throw new ProblemError('forbidden', 'webhook_url: send the video with a key.');
  return checkedUrl(c.env, parse(WebhookUrl, given, 'invalid_field', 'webhook_url'));
}

function queryFields(c: Context<App>): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (!FIELDS.includes(name)) throw unknownField(name, FIELDS);
    if (fields.has(name)) throw duplicateField(name);
    fields.set(name, value);
  }
  return fields;
}

async function* chunks(request: Request): AsyncGenerator<Uint8Array> {
  try {
    if (request.body) yield* request.body;
  } catch {
    throw incomplete();
  }
}

const incomplete = (): ProblemError =>
  new ProblemError('body_incomplete', 'The body ended before it was complete. Send it again.');

/** A file name comes from the sender's disk: what cannot stand in a key is left out rather than refused. */
const fallbackKey = (filename: string): string => filename.replace(/\p{Cc}/gu, '').slice(0, 255) || 'video';

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
