/**
 * The transcoders' side: lease, report, source, outputs, release, finish, and the announcement to the fleet. The job
 * object decides; what is written to storage lands under the take of the lease that wrote it, so a late write of a
 * lost lease can only land where nobody looks.
 */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { LeaseHeader, outputKey, sourceKey, takePath } from '../contract/ids.ts';
import {
  Announcement,
  CompleteParts,
  Finish,
  type FinishAnswer,
  LeaseRequest,
  type PartStored,
  type PartsBegun,
  Release,
  Report,
} from '../contract/transcoder.ts';
import { announce } from '../durable/fleet.ts';
import { isBadDigest, isNoSuchUpload } from '../durable/r2-errors.ts';
import type { App } from './app.ts';
import { finish } from './finish.ts';
import { jobId, jobObject } from './job-object.ts';
import { serve } from './objects.ts';
import { fileType, parseOutput } from './output-paths.ts';
import { ProblemError, parse, unwrap } from './problems.ts';
import { json } from './queue-api.ts';

/** RFC 9530: `sha-256=:<base64>:`. */
const ReprDigest = z
  .string()
  .regex(/^sha-256=:[A-Za-z0-9+/]{43}=:$/, 'Repr-Digest must be sha-256=:<base64>:')
  .transform((text) => Uint8Array.fromBase64(text.slice('sha-256=:'.length, -1)));

const UploadId = z.string().min(1).max(1024);
const PartNumber = z.coerce.number().pipe(z.int().min(1).max(10_000));

export const internal = new Hono<App>()
  .post('/fleet', async (c) => {
    await announce(c.env, parse(Announcement, await json(c)));
    return c.json({});
  })
  .post('/jobs/:id/lease', async (c) => {
    return c.json(unwrap(await jobObject(c).lease(parse(LeaseRequest, await json(c)))));
  })
  .post('/jobs/:id/report', async (c) => {
    return c.json(unwrap(await jobObject(c).report(parse(Report, await json(c)))));
  })
  .post('/jobs/:id/release', async (c) => {
    unwrap(await jobObject(c).release(parse(Release, await json(c)).lease));
    return c.json({});
  })
  .post('/jobs/:id/finish', async (c) => {
    const end = parse(Finish, await json(c));
    const status =
      'result' in end
        ? await finish(c.env, jobId(c), end.lease, end.result)
        : unwrap(await jobObject(c).fail(end.lease, end.error));
    return c.json({ status } satisfies FinishAnswer);
  })
  .get('/jobs/:id/source', async (c) => {
    await heldLease(c);
    const answer = await serve(c.env.INPUT, sourceKey(jobId(c)), c.req.raw, {
      'Content-Type': 'application/octet-stream',
    });
    if (!answer) throw new ProblemError('not_found', 'The source is not stored.');
    return answer;
  })
  .put('/jobs/:id/outputs/:folder/:name', async (c) => putOnce(c, await ownKey(c)))
  .get('/jobs/:id/outputs/:folder/:take/:name', async (c) => {
    await heldLease(c);
    const path = parseOutput(`${c.req.param('folder')}/${c.req.param('take')}/${c.req.param('name')}`);
    if (!path || 'manifest' in path) throw new ProblemError('not_found', 'No file can have this name.');
    const { folder, take, name, type } = path;
    const key = outputKey(jobId(c), takePath(folder, take, name));
    const answer = await serve(c.env.OUTPUT, key, c.req.raw, { 'Content-Type': type });
    if (!answer) throw new ProblemError('not_found', 'The file is not stored.');
    return answer;
  })
  .post('/jobs/:id/outputs/:folder/:name/parts', async (c) => {
    const { uploadId } = await c.env.OUTPUT.createMultipartUpload(await ownKey(c));
    return c.json({ upload_id: uploadId } satisfies PartsBegun, 201);
  })
  .put('/jobs/:id/outputs/:folder/:name/parts/:part', async (c) => {
    const upload = c.env.OUTPUT.resumeMultipartUpload(await ownKey(c), parse(UploadId, c.req.query('upload_id')));
    const part = parse(PartNumber, c.req.param('part'));
    if (!c.req.header('Content-Length') || !c.req.raw.body) throw lengthRequired();
    const { etag } = await orGone(upload.uploadPart(part, c.req.raw.body));
    return c.json({ part, etag } satisfies PartStored);
  })
  .post('/jobs/:id/outputs/:folder/:name/parts/complete', async (c) => {
    const { upload_id, parts } = parse(CompleteParts, await json(c));
    const upload = c.env.OUTPUT.resumeMultipartUpload(await ownKey(c), upload_id);
    await orGone(upload.complete(parts.map(({ part, etag }) => ({ partNumber: part, etag }))));
    return c.json({});
  });

/** The key of an output under the take of the lease that the request holds. */
async function ownKey(c: Context<App, '/jobs/:id/outputs/:folder/:name/*'>): Promise<string> {
  const take = await heldLease(c);
  const { folder, name } = c.req.param();
  if (fileType(folder, name) === null) throw new ProblemError('invalid_request', 'No output can have this name.');
  return outputKey(jobId(c), takePath(folder, take, name));
}

/** A multipart upload that is not there (any more) is the caller's to begin anew. */
async function orGone<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isNoSuchUpload(error)) throw new ProblemError('not_found', 'There is no such upload in parts.');
    throw error;
  }
}

const lengthRequired = (): ProblemError => new ProblemError('length_required', 'Send a body with its Content-Length.');

/** The number of the lease in the header, if it is the live one. */
async function heldLease(c: Context<App, '/jobs/:id/*'>): Promise<number> {
  const lease = parse(LeaseHeader, c.req.header('Reelwire-Lease') ?? '');
  unwrap(await jobObject(c).check(lease));
  return lease;
}

/** Create-only: 201; the same bytes again 200; other bytes under this name 409. */
async function putOnce(c: Context<App>, key: string): Promise<Response> {
  const digest = parse(ReprDigest, c.req.header('Repr-Digest') ?? '');
  if (!c.req.header('Content-Length') || !c.req.raw.body) {
    throw lengthRequired();
  }
  const conditions = new Headers({ 'If-None-Match': '*' });
  try {
    const stored = await c.env.OUTPUT.put(key, c.req.raw.body, { onlyIf: conditions, sha256: digest });
    if (stored) return c.json({}, 201);
  } catch (error) {
    if (isBadDigest(error)) throw new ProblemError('digest_mismatch', 'Send the bytes again.');
    throw error;
  }
  const known = (await c.env.OUTPUT.head(key))?.checksums.sha256;
  if (known && new Uint8Array(known).toHex() === digest.toHex()) return c.json({}, 200);
  throw new ProblemError('object_exists', 'Other bytes are stored under this name.');
}
