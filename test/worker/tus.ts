/** The words of a tus client, one request at a time. */
import { expect } from 'vitest';
import { call, env } from './edge.ts';

export const MIB = 2 ** 20;
export const PART = 8 * MIB;

export const RESUMABLE = { 'Tus-Resumable': '1.0.0' };
export const BYTES = { 'Content-Type': 'application/offset+octet-stream' };

export type Headers = Record<string, string>;

/** A header is left out by giving it an empty value. */
export function tus(method: string, path: string, headers: Headers = {}, body?: BodyInit): Promise<Response> {
  const all = Object.entries({ ...RESUMABLE, ...headers }).filter(([, value]) => value !== '');
  return call(path, { method, headers: Object.fromEntries(all), ...(body === undefined ? {} : { body }) });
}

export const creation = (headers: Headers, body?: BodyInit): Promise<Response> =>
  tus('POST', '/uploads', headers, body);

/** Creates an upload and returns its id. `length` null: it will be told later. */
export async function created(length: number | null, headers: Headers = {}): Promise<string> {
  const size: Headers = length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) };
  return idOf(await creation({ ...size, ...headers }));
}

export function idOf(answer: Response): string {
  expect(answer.status).toBe(201);
  return (answer.headers.get('Location') ?? '').slice('/uploads/'.length);
}

export const head = (id: string): Promise<Response> => tus('HEAD', `/uploads/${id}`);

export function patch(
  id: string,
  offset: number,
  bytes: BodyInit | undefined,
  headers: Headers = {},
): Promise<Response> {
  return tus('PATCH', `/uploads/${id}`, { ...BYTES, 'Upload-Offset': String(offset), ...headers }, bytes);
}

/** Where the upload is, as HEAD says. */
export async function offsetOf(id: string): Promise<number> {
  const answer = await head(id);
  expect(answer.status).toBe(200);
  return Number(answer.headers.get('Upload-Offset'));
}

/** Bytes that tell where they are. */
export function bytes(from: number, to: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(to - from);
  for (let at = Math.ceil(from / 61) * 61; at < to; at += 61) made[at - from] = 1 + ((at / 61) % 251);
  return made;
}

/** The source as it is stored, as a digest. */
export async function stored(id: string): Promise<string> {
  const source = await env.INPUT.get(`${id}/source`);
  return source ? digest(await source.arrayBuffer()) : 'nothing';
}

export const digest = async (data: BufferSource): Promise<string> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', data)).toHex();

export const metadata = (fields: Record<string, string>): Headers => ({
  'Upload-Metadata': Object.entries(fields)
    .map(([name, value]) => `${name} ${new TextEncoder().encode(value).toBase64()}`)
    .join(','),
});

export async function checksum(algorithm: 'sha1' | 'sha256', of: BufferSource): Promise<Headers> {
  const digest = await crypto.subtle.digest(algorithm === 'sha1' ? 'SHA-1' : 'SHA-256', of);
  return { 'Upload-Checksum': `${algorithm} ${new Uint8Array(digest).toBase64()}` };
}
