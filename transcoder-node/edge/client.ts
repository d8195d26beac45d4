/**
 * The edge's `/internal` routes as typed calls. One call is one request: no retries here. What comes back is validated;
 * no answer, a 5xx and an answer that does not fit are `EdgeUnavailable`, every other refusal is `EdgeRefused`.
 * An aborted signal throws its own reason.
 */
import { z } from 'zod';
import { Problem } from '../../src/contract/errors.ts';
import { leaseHeader, segmentName } from '../../src/contract/ids.ts';
import {
  type Announcement,
  type Finish,
  FinishAnswer,
  LeaseGrant,
  type LeaseRequest,
  type Report,
  ReportAnswer,
} from '../../src/contract/transcoder.ts';
import { EdgeRefused, EdgeUnavailable, toError } from '../errors.ts';
import { FINISH_TIMEOUT_MS, GOODBYE_TIMEOUT_MS, REQUEST_TIMEOUT_MS, UPLOAD_TIMEOUT_MS } from '../limits.ts';

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: string | Blob;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export interface Output {
  readonly rendition: string;
  readonly n: number;
  readonly blob: Blob;
  readonly sha256: Buffer;
}

export class EdgeClient {
  readonly #base: string;
  readonly #token: string | undefined;

  constructor(edge: string, token: string | undefined) {
    this.#base = `${edge}/internal`;
    this.#token = token;
  }

  lease(job: string, request: LeaseRequest, signal: AbortSignal): Promise<LeaseGrant> {
    return this.#post(LeaseGrant, `/jobs/${job}/lease`, request, { signal });
  }

  report(job: string, report: Report, timeoutMs: number, signal: AbortSignal): Promise<ReportAnswer> {
    return this.#post(ReportAnswer, `/jobs/${job}/report`, report, { timeoutMs, signal });
  }

  finish(job: string, finish: Finish, signal: AbortSignal): Promise<FinishAnswer> {
    return this.#post(FinishAnswer, `/jobs/${job}/finish`, finish, { timeoutMs: FINISH_TIMEOUT_MS, signal });
  }

  async release(job: string, lease: number): Promise<void> {
    await this.#post(z.unknown(), `/jobs/${job}/release`, { lease }, { timeoutMs: GOODBYE_TIMEOUT_MS });
  }

  async announce(announcement: Announcement, signal: AbortSignal): Promise<void> {
    await this.#post(z.unknown(), '/fleet', announcement, { signal });
  }

  /** The source's bytes from `from` on. The signal also ends the body, which has no time limit of its own. */
  source(job: string, lease: number, from: number, signal: AbortSignal): Promise<Response> {
    return this.#call({
      method: 'GET',
      path: `/jobs/${job}/source`,
      headers: { 'reelwire-lease': leaseHeader('main', lease), ...(from > 0 && { range: `bytes=${from}-` }) },
      signal,
    });
  }

  async upload(job: string, lease: number, output: Output, signal: AbortSignal): Promise<void> {
    const response = await this.#call({
      method: 'PUT',
      path: `/jobs/${job}/outputs/${output.rendition}/${segmentName(output.n)}`,
      body: output.blob,
      headers: {
        'content-length': String(output.blob.size),
        'content-type': 'application/octet-stream',
        'repr-digest': `sha-256=:${output.sha256.toString('base64')}:`,
        'reelwire-lease': leaseHeader('main', lease),
      },
      signal,
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
    await response.body?.cancel();
  }

  async #post<T>(
    schema: z.ZodType<T>,
    path: string,
    json: unknown,
    rest: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<T> {
    const call: Call = {
      method: 'POST',
      path,
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
      timeoutMs: REQUEST_TIMEOUT_MS,
      ...rest,
    };
    const response = await this.#call(call);
    const body = await readText(response, call);
    const parsed = schema.safeParse(parseJson(body));
    if (!parsed.success)
      throw new EdgeUnavailable(`${path}: the answer does not fit: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  }

  async #call(call: Call): Promise<Response> {
    call.signal?.throwIfAborted();
    const limits = [call.signal, call.timeoutMs && AbortSignal.timeout(call.timeoutMs)].filter((limit) => !!limit);
    let response: Response;
    try {
      response = await fetch(this.#base + call.path, {
        method: call.method,
        redirect: 'error',
        signal: AbortSignal.any(limits),
        headers: { ...call.headers, ...(this.#token && { authorization: `Bearer ${this.#token}` }) },
        ...(call.body !== undefined && { body: call.body }),
      });
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new EdgeUnavailable(`${call.path}: ${causeOf(error)}`);
    }
    if (response.ok) return response;
    const text = await readText(response, call);
    const { status } = response;
    if (status >= 500 || status === 429 || status === 408) throw new EdgeUnavailable(`${call.path}: ${status}`);
    const problem = Problem.safeParse(parseJson(text));
    throw new EdgeRefused(status, problem.success ? problem.data.code : '');
  }
}

async function readText(response: Response, call: Call): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    call.signal?.throwIfAborted();
    throw new EdgeUnavailable(`${call.path}: ${causeOf(error)}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says only "fetch failed"; what happened is in its cause. */
const causeOf = (thrown: unknown): string => {
  const error = toError(thrown);
  return error.cause instanceof Error ? error.cause.message : error.message;
};
