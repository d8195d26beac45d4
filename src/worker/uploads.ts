/**
 * `/uploads`: tus 1.0.0. The upload's id is the job's id, and the job is there, and can be watched, as soon as the
 * upload is: first the job, then the upload object, then the answer. What is here speaks HTTP; what counts, the upload
 * object decides (src/durable/upload).
 */
import { type Context, Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { settings } from '../durable/env.ts';
import type { NewJob } from '../durable/job/job.ts';
import type { NewUpload, Piece, Position } from '../durable/upload/stored.ts';
import { identityOf, nameOf, uploadsOf, uploadToken } from './access/principal.ts';
import type { App } from './app.ts';
import { describe, mostBytes } from './describe.ts';
import { jobId } from './job-object.ts';
import { onceForKey } from './once.ts';
import { ProblemError, unwrap } from './problems.ts';
import { tooLarge } from './source.ts';
import { giveBack, spend, type UploadClaims } from './tokens.ts';
import {
  BYTES_TYPE,
  CHECKSUM_ALGORITHMS,
  checksumHeader,
  countHeader,
  parseMetadata,
  positionHeaders,
  TUS_EXTENSIONS,
  TUS_VERSION,
} from './tus.ts';
import { webhookOfJobs } from './webhooks.ts';

type Handler = (c: Context<App>) => Promise<Response>;

/** What every answer below `/uploads` says, errors and the browser's preflight too. */
export const withTus = createMiddleware<App>(async (c, next) => {
  await next();
  const { headers, status } = c.res;
  headers.set('Tus-Resumable', TUS_VERSION);
  if (c.req.method === 'OPTIONS' || status === 412) headers.set('Tus-Version', TUS_VERSION);
  if (c.req.method !== 'OPTIONS') return;
  headers.set('Tus-Extension', TUS_EXTENSIONS.join(','));
  headers.set('Tus-Max-Size', String(settings(c.env).MAX_UPLOAD_BYTES));
  headers.set('Tus-Checksum-Algorithm', CHECKSUM_ALGORITHMS.join(','));
});

const spoken =
  (handler: Handler): Handler =>
  async (c) => {
    if (c.req.header('Tus-Resumable') !== TUS_VERSION) {
      throw new ProblemError('tus_version', `Send Tus-Resumable: ${TUS_VERSION}.`);
    }
    return handler(c);
  };

const refuse = (allowed: string) => (): never => {
  throw new ProblemError('method_not_allowed', `Use one of ${allowed}.`, { Allow: allowed });
};
const refuseAtCollection = refuse('POST, OPTIONS');
const refuseAtUpload = refuse('HEAD, PATCH, DELETE, OPTIONS');

const uploadObject = (c: Context<App>, id: string) => c.env.UPLOAD.getByName(id);
const jobOf = (c: Context<App>, id: string) => c.env.JOB.getByName(id);

async function create(c: Context<App>): Promise<Response> {
  const length = newLength(c);
  const metadata = c.req.header('Upload-Metadata') ?? null;
  const said = parseMetadata(metadata ?? '');
  const piece = firstPiece(c, length);

  return onceForKey(c, async (job_id, exists) => {
    const { content_type, webhookUrl, ...description } = await describe(
      c,
      said.fields,
      said.filename,
      said.contentType,
    );
    const job: NewJob = { ...description, job_id, bucket: settings(c.env).OUTPUT_BUCKET_NAME, source: null };
    const owner = identityOf(c.get('principal'));
    const upload: NewUpload = { job_id, owner, length, max_bytes: mostBytes(c), content_type, metadata };
    const token = uploadToken(c);
    if (token && !exists) await spend(c, token);
    try {
      const position = await begin(c, job, upload, piece);
      const webhook = webhookUrl === null ? null : await webhookOfJobs(c, webhookUrl);
      if (webhook) await jobOf(c, job_id).create(job, webhook.id);
      c.set('job', job_id);
      const stream_url = `${new URL(c.req.url).origin}/jobs/${job_id}/stream`;
      return {
        status: 201,
        headers: { Location: `/uploads/${job_id}`, ...positionHeaders(position) },
        body: { job_id, stream_url, ...(webhook && { webhook }) },
      };
    } catch (error) {
      if (!exists) await undo(c, job_id, token);
      throw error;
    }
  });
}

/**
 * First the job, then its upload, then the bytes that came with the request. May be repeated. The webhook's endpoint is
 * made afterwards: of what is refused nothing stays, and whoever is told of a job late is told of all its events.
 */
async function begin(c: Context<App>, job: NewJob, upload: NewUpload, piece: Piece | null): Promise<Position> {
  await jobOf(c, job.job_id).create(job);
  const opened = await uploadObject(c, job.job_id).open(upload);
  if (piece === null || opened.offset > 0) return opened;
  return unwrap(await uploadObject(c, job.job_id).append(null, piece, c.req.raw.body));
}

/** When the bytes are refused, so is the upload: its sender does not know its address. */
async function undo(c: Context<App>, job_id: string, token: UploadClaims | null): Promise<void> {
  await jobOf(c, job_id).delete(nameOf(c.get('principal')));
  if (token) await giveBack(c, token);
}

async function head(c: Context<App>): Promise<Response> {
  if (c.req.method !== 'HEAD') return refuseAtUpload();
  const position = unwrap(await uploadObject(c, jobId(c)).head(uploadsOf(c)));
  const { length, metadata } = position;
  return c.body(null, 200, {
    'Cache-Control': 'no-store',
    ...(length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }),
    ...(metadata === null ? {} : { 'Upload-Metadata': metadata }),
    ...positionHeaders(position),
  });
}

async function patch(c: Context<App>): Promise<Response> {
  if (!isBytes(c)) throw notBytes();
  const offset = countHeader(c, 'Upload-Offset');
  if (offset === null) throw new ProblemError('invalid_request', 'Send Upload-Offset.');
  const piece: Piece = {
    offset,
    size: countHeader(c, 'Content-Length'),
    length: countHeader(c, 'Upload-Length'),
    checksum: checksumHeader(c),
  };
  const work = uploadObject(c, jobId(c)).append(uploadsOf(c), piece, c.req.raw.body);
  // Goes on after the client has gone: what arrived is stored.
  c.executionCtx.waitUntil(Promise.allSettled([work]));
  return c.body(null, 204, positionHeaders(unwrap(await work)));
}

/** As DELETE /jobs/:id, which is for admin keys; others may end their own upload while it is none but that. */
async function terminate(c: Context<App>): Promise<Response> {
  const id = jobId(c);
  const caller = uploadsOf(c);
  if (caller !== null) {
    const { expires_at } = unwrap(await uploadObject(c, id).head(caller));
    if (expires_at === null) throw new ProblemError('forbidden', 'The upload is complete. An admin key can delete it.');
  }
  unwrap(await jobOf(c, id).delete(nameOf(c.get('principal'))));
  return c.body(null, 204);
}

function newLength(c: Context<App>): number | null {
  const length = countHeader(c, 'Upload-Length');
  const deferred = c.req.header('Upload-Defer-Length');
  if (deferred !== undefined && deferred !== '1') {
    throw new ProblemError('invalid_request', 'Upload-Defer-Length can only be 1.');
  }
  if ((length === null) === (deferred === undefined)) {
    throw new ProblemError('invalid_request', 'Send either Upload-Length or Upload-Defer-Length: 1.');
  }
  const limit = mostBytes(c);
  if (length !== null && length > limit) throw tooLarge(limit);
  if (length === 0) throw new ProblemError('empty_file', 'The file has no bytes. Send a video.');
  return length;
}

/** The bytes that come with the creation; null when there are none. */
function firstPiece(c: Context<App>, length: number | null): Piece | null {
  const size = countHeader(c, 'Content-Length');
  if (!isBytes(c)) {
    if (size !== null && size > 0) throw notBytes();
    return null;
  }
  const limit = length ?? mostBytes(c);
  if (size !== null && size > limit) throw tooLarge(limit);
  return { offset: 0, size, length: null, checksum: checksumHeader(c) };
}

const isBytes = (c: Context<App>): boolean => c.req.header('Content-Type')?.toLowerCase() === BYTES_TYPE;

const notBytes = (): ProblemError => new ProblemError('unsupported_media_type', `Send bytes as ${BYTES_TYPE}.`);

/** HEAD is routed like GET. */
export const uploads = new Hono<App>()
  .post('/', spoken(create))
  .get('/:id', spoken(head))
  .patch('/:id', spoken(patch))
  .delete('/:id', spoken(terminate))
  .all('/', refuseAtCollection)
  .all('/:id', refuseAtUpload);
