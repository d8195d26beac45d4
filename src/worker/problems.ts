/**
 * Errors that a client is told: thrown anywhere as a `ProblemError`, turned into `application/problem+json`
 * (RFC 9457) in one place. Anything else that is thrown is ours: it is logged, and the client learns only that.
 */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { PROBLEMS, type Problem, type ProblemCode } from '../contract/errors.ts';
import type { Outcome } from '../durable/outcome.ts';
import { withoutSecrets } from './access/headers.ts';
import type { App } from './app.ts';

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly headers: Record<string, string>;

  /** `detail` is shown to the client: it says what to do and names nothing internal. */
  constructor(code: ProblemCode, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

export function onError(error: Error, c: Context<App>): Response {
  if (error instanceof ProblemError) return problem(c, error);
  const stack = withoutSecrets(error.stack ?? String(error));
  console.error(JSON.stringify({ msg: 'request failed', request_id: c.get('requestId'), error: stack }));
  return problem(c, new ProblemError('internal', 'Try again; if it persists, report the request_id.'));
}

function problem(c: Context<App>, { code, message, headers }: ProblemError): Response {
  const { status, title } = PROBLEMS[code];
  const request_id = c.get('requestId');
  const body: Problem = { type: `urn:reelwire:problem:${code}`, title, status, code, detail: message, request_id };
  // One status, 460, is known to tus only.
  return c.json(body, status as ContentfulStatusCode, {
    ...headers,
    'Content-Type': 'application/problem+json',
  });
}

/** The value of what a job object answered, or its refusal as a problem. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new ProblemError(outcome.code, outcome.detail);
}

/** Parses with the schema; the first thing that is wrong becomes the detail. `name` says what the value is. */
export function parse<S extends z.ZodType>(
  schema: S,
  value: unknown,
  code: ProblemCode = 'invalid_request',
  name?: string,
): z.infer<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const where = [...(name ? [name] : []), ...(issue?.path ?? [])].join('.');
  throw new ProblemError(code, `${where ? `${where}: ` : ''}${issue?.message ?? 'not valid'}`);
}
