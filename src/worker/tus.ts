/** The words of tus 1.0.0 (https://tus.io/protocols/resumable-upload): headers as values, values as headers. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Checksum, Position } from '../durable/upload/stored.ts';
import type { App } from './app.ts';
import { ProblemError, parse } from './problems.ts';

export const TUS_VERSION = '1.0.0';
export const TUS_EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'checksum',
  'termination',
];
export const CHECKSUM_ALGORITHMS = ['sha1', 'sha256'] as const;

export const BYTES_TYPE = 'application/offset+octet-stream';

const MAX_METADATA = 8192;
const DIGEST_BYTES = { sha1: 20, sha256: 32 };
const FILE_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

const METHODS = ['HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * The request with the method that `X-HTTP-Method-Override` says: some networks let only GET and POST pass. It counts
 * from the very beginning, so that who may use a route is decided for the route that is used. What tus has no use for
 * becomes GET, which it has no use for either.
 */
export function withTusMethod(request: Request): Request {
  const given = request.headers.get('X-HTTP-Method-Override');
  if (given === null || !/^\/+uploads(\/|$)/.test(new URL(request.url).pathname)) return request;
  const method = METHODS.find((one) => one === given.toUpperCase()) ?? 'GET';
  if (method === 'POST' || method === 'PATCH') return new Request(request, { method });
  return new Request(request.url, { method, headers: request.headers });
}

const Count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a number of bytes')
  .transform(Number);

/** The value of a header that counts bytes; null when it was not sent. */
export function countHeader(c: Context<App>, name: string): number | null {
  const text = c.req.header(name);
  return text === undefined ? null : parse(Count, text, 'invalid_request', name);
}

export function checksumHeader(c: Context<App>): Checksum | null {
  const text = c.req.header('Upload-Checksum');
  if (text === undefined) return null;
  const [name, digest, ...rest] = text.split(' ');
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === name);
  if (!algorithm) {
    throw new ProblemError('invalid_request', `Upload-Checksum: use one of ${CHECKSUM_ALGORITHMS.join(', ')}.`);
  }
  if (rest.length > 0 || decoded(digest ?? '')?.length !== DIGEST_BYTES[algorithm]) {
    throw new ProblemError('invalid_request', `Upload-Checksum: after ${algorithm} and a space goes its Base64 value.`);
  }
  return { algorithm, digest: digest ?? '' };
}

/**
 * What `Upload-Metadata` says. Clients put in what they know of a file, so names that mean nothing here are passed
 * over.
 */
export function parseMetadata(text: string): { fields: Map<string, string>; filename: string; contentType: string } {
  if (text.length > MAX_METADATA) throw badMetadata('is too long');
  const fields = new Map<string, string>();
  for (const pair of text.split(',').filter((one) => one.trim() !== '')) {
    const [name, value = '', ...rest] = pair.trim().split(' ');
    const bytes = decoded(value);
    if (!name || rest.length > 0 || !/^[\x21-\x7e]+$/.test(name)) throw badMetadata('must be names with Base64 values');
    if (fields.has(name)) throw badMetadata(`names ${name} twice`);
    if (!bytes) throw badMetadata(`must have the value of ${name} in Base64`);
    fields.set(name, utf8(name, bytes));
  }
  const filetype = fields.get('filetype') ?? '';
  return {
    fields,
    filename: fields.get('filename') ?? '',
    contentType: FILE_TYPE.test(filetype) ? filetype : 'application/octet-stream',
  };
}

/** What an answer says about an upload. */
export function positionHeaders({ offset, expires_at }: Position): Record<string, string> {
  return {
    'Upload-Offset': String(offset),
    ...(expires_at === null ? {} : { 'Upload-Expires': new Date(expires_at).toUTCString() }),
  };
}

function decoded(base64: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return null;
  }
}

function utf8(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badMetadata(`must have the value of ${name} in UTF-8`);
  }
}

const badMetadata = (what: string): ProblemError => new ProblemError('invalid_request', `Upload-Metadata ${what}.`);
