/**
 * A small tus client that does what a test wants to see: one request at a time, and requests that are cut off after a
 * number of bytes. It knows what was acknowledged, and how much was sent at most.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';

export const PART = 8 * 2 ** 20;

const RESUMABLE = { 'Tus-Resumable': '1.0.0' };

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
}

function send(method: string, address: string, headers: Record<string, string>): ClientRequest {
  return request(address, { method, headers: { ...RESUMABLE, ...headers }, agent: false });
}

async function answerOf(open: ClientRequest): Promise<Answer> {
  const [answer] = await once(open, 'response');
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, headers: answer.headers };
}

export class TusUpload {
  readonly id: string;
  readonly #address: string;
  /** The highest offset that was answered. */
  acknowledged = 0;
  /** Up to where bytes may have arrived. */
  sent = 0;

  private constructor(edge: string, id: string) {
    this.id = id;
    this.#address = `${edge}/uploads/${id}`;
  }

  /** `length` null: it will be told later. */
  static async create(edge: string, length: number | null): Promise<TusUpload> {
    const size = length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) };
    const open = send('POST', `${edge}/uploads`, { ...size, 'Content-Length': '0' });
    open.end();
    const { status, headers } = await answerOf(open);
    if (status !== 201) throw new Error(`The upload was not created: ${status}`);
    return new TusUpload(edge, String(headers.location).slice('/uploads/'.length));
  }

  async head(): Promise<Answer> {
    const open = send('HEAD', this.#address, {});
    open.end();
    return answerOf(open);
  }

  /** Where the upload is, as HEAD says. */
  async offset(): Promise<number> {
    const { status, headers } = await this.head();
    if (status !== 200) throw new Error(`HEAD was answered ${status}`);
    this.acknowledged = Number(headers['upload-offset']);
    return this.acknowledged;
  }

  async patch(offset: number, bytes: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
    const open = this.#begin(offset, bytes.length, headers);
    open.end(bytes);
    this.sent = Math.max(this.sent, offset + bytes.length);
    const answer = await answerOf(open);
    if (answer.status === 204) this.acknowledged = Number(answer.headers['upload-offset']);
    return answer;
  }

  /** Begins to send `bytes`, says when so many have gone out, and then whatever `after` does is its end. */
  async cut(offset: number, bytes: Uint8Array, at: number, after: (open: ClientRequest) => unknown): Promise<void> {
    const open = this.#begin(offset, bytes.length);
    const ended = new Promise<void>((resolve) => {
      open.once('close', resolve).on('error', () => {});
    });
    open.on('response', (answer) => {
      answer.resume();
      if (answer.statusCode === 204) this.acknowledged = Number(answer.headers['upload-offset']);
    });
    this.sent = Math.max(this.sent, offset + at);
    await new Promise<void>((resolve) => open.write(bytes.subarray(0, at), () => resolve()));
    await after(open);
    open.destroy();
    await ended;
  }

  #begin(offset: number, size: number, headers: Record<string, string> = {}): ClientRequest {
    return send('PATCH', this.#address, {
      'Content-Type': 'application/offset+octet-stream',
      'Content-Length': String(size),
      'Upload-Offset': String(offset),
      ...headers,
    });
  }
}

/** What S3 and R2 call an object that was put together from parts of this size. */
export function multipartEtag(bytes: Uint8Array, part = PART): string {
  const digests: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += part) {
    digests.push(
      createHash('md5')
        .update(bytes.subarray(at, at + part))
        .digest(),
    );
  }
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${digests.length}`;
}
