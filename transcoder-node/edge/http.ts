/**
 * Requests to the edge's `/internal` routes. One call is one request: no retries here. What comes back is validated;
 * no answer, a 5xx and an answer that does not fit are `EdgeUnavailable`, every other refusal is `EdgeRefused`.
 * An aborted signal throws its own reason.
 */
import { z } from 'zod';
import { Problem } from '../../src/contract/errors.ts';
import { PROTOCOL, PROTOCOL_HEADER } from '../../src/contract/transcoder.ts';
import { EdgeRefused, EdgeUnavailable, NotUnderstood, toError } from '../errors.ts';
import { REQUEST_TIMEOUT_MS } from '../limits.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: string | Blob;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export class Http {
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #onNotUnderstood: (why: NotUnderstood) => void;

  constructor(edge: string, token: string | undefined, onNotUnderstood: (why: NotUnderstood) => void) {
    this.#base = `${edge}/internal`;
    this.#token = token;
    this.#onNotUnderstood = onNotUnderstood;
  }

  post<T>(schema: z.ZodType<T>, path: string, json: unknown, rest: Partial<Call>): Promise<T> {
    const headers = { 'content-type': 'application/json', ...rest.headers };
    return this.ask(schema, {
      ...{ method: 'POST', path, body: JSON.stringify(json), timeoutMs: REQUEST_TIMEOUT_MS },
      ...rest,
      headers,
    });
  }

  async ask<T>(schema: z.ZodType<T>, call: Call): Promise<T> {
    const response = await this.call(call);
    const text = await received(call, () => response.text());
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new EdgeUnavailable(`${call.path}: the answer does not fit: ${z.prettifyError(parsed.error)}`);
  }

  async bytes(call: Call): Promise<Uint8Array> {
    const response = await this.call(call);
    return new Uint8Array(await received(call, () => response.arrayBuffer()));
  }

  async call(call: Call): Promise<Response> {
    call.signal?.throwIfAborted();
    const limits = [call.signal, call.timeoutMs && AbortSignal.timeout(call.timeoutMs)].filter((limit) => !!limit);
    const response = await received(call, () =>
      fetch(this.#base + call.path, {
        method: call.method,
        redirect: 'error',
        signal: AbortSignal.any(limits),
        headers: {
          ...call.headers,
          [PROTOCOL_HEADER]: String(PROTOCOL),
          ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        },
        ...(call.body !== undefined && { body: call.body }),
      }),
    );
    if (response.ok) return response;
    const text = await received(call, () => response.text());
    const { status } = response;
    if (status >= 500 || status === 429 || status === 408) throw new EdgeUnavailable(`${call.path}: ${status}`);
    const problem = Problem.safeParse(parseJson(text));
    if (problem.data?.code === 'protocol_unsupported') {
      this.#onNotUnderstood(new NotUnderstood(response.headers.get(PROTOCOL_HEADER)));
    }
    throw new EdgeRefused(status, problem.data?.code ?? '', problem.data?.detail);
  }
}

async function received<T>(call: Call, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
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
