/** The edge's `/internal` routes as typed calls; how each may end is told in `http.ts`. */
import { z } from 'zod';
import { leaseHeader } from '../../src/contract/ids.ts';
import {
  type Announcement,
  type Finish,
  FinishAnswer,
  LeaseGrant,
  type LeaseRequest,
  PartStored,
  PartsBegun,
  type Report,
  ReportAnswer,
} from '../../src/contract/transcoder.ts';
import type { NotUnderstood } from '../errors.ts';
import { FINISH_TIMEOUT_MS, PART_TIMEOUT_MS, UPLOAD_TIMEOUT_MS } from '../limits.ts';
import { Http } from './http.ts';

/** Bytes and the digest that they must arrive with. */
export interface Payload {
  readonly blob: Blob;
  readonly sha256: Buffer;
}

/** The lease that a call is made under. */
export interface Held {
  readonly job: string;
  readonly lease: number;
}

export class EdgeClient {
  readonly #http: Http;

  /** `onNotUnderstood` is told when the edge does not speak this transcoder's protocol. */
  constructor(
    edge: string,
    token: string | undefined,
    onNotUnderstood: (why: NotUnderstood) => void = () => undefined,
  ) {
    this.#http = new Http(edge, token, onNotUnderstood);
  }

  /** The request id is also that of the HTTP request, so that the edge's log and ours can be laid side by side. */
  lease(job: string, request: LeaseRequest, signal: AbortSignal): Promise<LeaseGrant> {
    const headers = { 'x-request-id': request.request_id };
    return this.#http.post(LeaseGrant, `/jobs/${job}/lease`, request, { headers, signal });
  }

  report(job: string, report: Report, timeoutMs: number, signal: AbortSignal): Promise<ReportAnswer> {
    return this.#http.post(ReportAnswer, `/jobs/${job}/report`, report, { timeoutMs, signal });
  }

  finish(job: string, finish: Finish, signal: AbortSignal): Promise<FinishAnswer> {
    return this.#http.post(FinishAnswer, `/jobs/${job}/finish`, finish, { timeoutMs: FINISH_TIMEOUT_MS, signal });
  }

  async release(job: string, lease: number, signal: AbortSignal): Promise<void> {
    await this.#http.post(z.unknown(), `/jobs/${job}/release`, { lease }, { signal });
  }

  async announce(announcement: Announcement, signal: AbortSignal): Promise<void> {
    await this.#http.post(z.unknown(), '/fleet', announcement, { signal });
  }

  /** The source's bytes from `from` on. The signal also ends the body, which has no time limit of its own. */
  source(held: Held, from: number, signal: AbortSignal): Promise<Response> {
    const headers = { ...leased(held), ...(from > 0 && { range: `bytes=${from}-` }) };
    return this.#http.call({ method: 'GET', path: `/jobs/${held.job}/source`, headers, signal });
  }

  /** An output of any take. `path` below the job's outputs. */
  output(held: Held, path: string, signal: AbortSignal): Promise<Uint8Array> {
    const headers = leased(held);
    const timeoutMs = UPLOAD_TIMEOUT_MS;
    return this.#http.bytes({ method: 'GET', path: outputs(held, path), headers, signal, timeoutMs });
  }

  async upload(held: Held, path: string, payload: Payload, signal: AbortSignal): Promise<void> {
    const headers = { ...leased(held), ...described(payload) };
    const timeoutMs = UPLOAD_TIMEOUT_MS;
    const call = { path: outputs(held, path), body: payload.blob, headers, signal, timeoutMs };
    const response = await this.#http.call({ method: 'PUT', ...call });
    await response.body?.cancel();
  }

  async beginParts(held: Held, path: string, signal: AbortSignal): Promise<string> {
    const headers = leased(held);
    return (await this.#http.post(PartsBegun, `${outputs(held, path)}/parts`, {}, { headers, signal })).upload_id;
  }

  part(
    held: Held,
    path: string,
    upload: string,
    n: number,
    payload: Payload,
    signal: AbortSignal,
  ): Promise<PartStored> {
    return this.#http.ask(PartStored, {
      method: 'PUT',
      path: `${outputs(held, path)}/parts/${n}?upload_id=${encodeURIComponent(upload)}`,
      body: payload.blob,
      headers: { ...leased(held), ...described(payload) },
      signal,
      timeoutMs: PART_TIMEOUT_MS,
    });
  }

  async completeParts(
    held: Held,
    path: string,
    upload_id: string,
    parts: PartStored[],
    signal: AbortSignal,
  ): Promise<void> {
    const rest = { headers: leased(held), signal, timeoutMs: FINISH_TIMEOUT_MS };
    await this.#http.post(z.unknown(), `${outputs(held, path)}/parts/complete`, { upload_id, parts }, rest);
  }
}

const outputs = ({ job }: Held, path: string): string => `/jobs/${job}/outputs/${path}`;

const leased = ({ lease }: Held): Record<string, string> => ({ 'reelwire-lease': leaseHeader('main', lease) });

const described = ({ blob, sha256 }: Payload): Record<string, string> => ({
  'content-length': String(blob.size),
  'content-type': 'application/octet-stream',
  'repr-digest': `sha-256=:${sha256.toString('base64')}:`,
});
