/**
 * `POST /process`: a video as a form or as the bare body becomes a job. The job is made when the body is whole; of a
 * body that is cut, refused or too large nothing stays.
 */
import type { Context } from 'hono';
import type { Accepted } from '../contract/api.ts';
import { uploadToken } from './access/principal.ts';
import type { App } from './app.ts';
import { describe, FIELDS, mostBytes, type Said } from './describe.ts';
import { duplicateField, readForm, unknownField } from './form.ts';
import { onceForKey } from './once.ts';
import { ProblemError } from './problems.ts';
import { SourceUpload, tooLarge } from './source.ts';
import { giveBack, refuseSpent, spend } from './tokens.ts';
import { webhookOfJobs } from './webhooks.ts';

/** A form is larger than its file by its boundaries, headers and fields; no more than this. */
const FORM_OVERHEAD = 64 * 1024;

const RAW = /^(video\/[\w.+-]+|application\/octet-stream)\s*(;|$)/i;
const FORM = /^multipart\/form-data\s*(;|$)/i;

/**
 * A chunked body that is cut reaches the Worker like one that ended (workerd 1.20260918, behind wrangler dev), so
 * without its length a bare body could be half a file. A form has its closing boundary.
 */
const LENGTH_REQUIRED = 'Send a bare body with its Content-Length, or use a form.';

export function process(c: Context<App>): Promise<Response> {
  return onceForKey(c, async (job_id, exists) => {
    const webhook = exists ? null : await receive(c, new SourceUpload(c.env, job_id, mostBytes(c)));
    c.set('job', job_id);
    return { status: 202, body: accepted(c, job_id, webhook) };
  });
}

export function accepted(c: Context<App>, job_id: string, webhook: Webhook | null): Accepted {
  const at = `${new URL(c.req.url).origin}/jobs/${job_id}`;
  return {
    job_id,
    message: 'Video processing started',
    status_url: at,
    stream_url: `${at}/stream`,
    ...(webhook && { webhook }),
  };
}

type Webhook = NonNullable<Accepted['webhook']>;

/**
 * The endpoint is made last: of what is refused before nothing stays. Nor is a token spent by what is refused in the
 * end; after an error of ours it is, because the video may be a job all the same.
 */
async function receive(c: Context<App>, upload: SourceUpload): Promise<Webhook | null> {
  const token = uploadToken(c);
  let isSpent = false;
  try {
    if (token) await refuseSpent(c, token);
    const { webhookUrl, ...description } = await body(c, upload);
    if (token) await spend(c, token);
    isSpent = true;
    const webhook = webhookUrl === null ? null : await webhookOfJobs(c, webhookUrl);
    await upload.complete({ ...description, webhook: webhook?.id });
    return webhook;
  } catch (error) {
    await upload.abort();
    if (token && isSpent && error instanceof ProblemError) await giveBack(c, token);
    throw error;
  }
}

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
