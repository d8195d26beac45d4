/**
 * `Idempotency-Key`: a request that makes a job, sent again with the same key, makes no second one. While the first one
 * is being answered the others get 409 `in_progress`, afterwards its answer. The object that belongs to the key, to this
 * caller and to the path knows which; without a key nobody is asked.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Accepted, UploadCreated } from '../contract/api.ts';
import type { Env } from '../durable/env.ts';
import { type Answer, type IdempotencyKey, type Settled, SILENCE_MS } from '../durable/idempotency-key.ts';
import { identityOf } from './access/principal.ts';
import type { App } from './app.ts';
import { ProblemError, parse } from './problems.ts';

const RENEW_MS = SILENCE_MS / 3;

/** How long a client that comes too early should wait, in seconds. */
const WAIT = '1';

const Key = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

export interface Reply {
  status: 201 | 202;
  headers?: Record<string, string>;
  body: Accepted | UploadCreated;
}

/** Makes a job under a new id. `exists`: an earlier request has, and only its answer was lost. */
type Make = (job_id: string, exists: boolean) => Promise<Reply>;

export async function onceForKey(c: Context<App>, make: Make): Promise<Response> {
  const work = answer(c, make);
  // Goes on after the client has gone, so that what it began is finished, or cleaned up at once.
  c.executionCtx.waitUntil(Promise.allSettled([work]));
  return work;
}

async function answer(c: Context<App>, make: Make): Promise<Response> {
  const given = c.req.header('Idempotency-Key');
  if (given === undefined) return response(answerOf(await make(crypto.randomUUID(), false)));

  const key = parse(Key, given, 'invalid_request', 'Idempotency-Key');
  const name = `${identityOf(c.get('principal')) ?? 'anyone'} ${c.req.path} ${key}`;
  // A fresh stub each time: one that has seen its object fail stays broken.
  const object = (): DurableObjectStub<IdempotencyKey> => c.env.IDEMPOTENCY.getByName(name);
  const claim = await object().claim(crypto.randomUUID());
  if (claim.is === 'answered') return response(claim.answer);
  if (claim.is === 'running') {
    const detail = 'A request with this Idempotency-Key is still being answered. Send it again later.';
    throw new ProblemError('in_progress', detail, { 'Retry-After': WAIT });
  }
  const { job_id, before } = claim;
  const renewing = setInterval(
    () =>
      void object()
        .renew(job_id)
        .catch(() => {}),
    RENEW_MS,
  );
  let end: Settled = { is: 'nothing' };
  try {
    const made = await firstThere(c.env, before);
    if (made === null) end = { is: 'failed' };
    const reply = await (made === null ? make(job_id, false) : make(made, true));
    end = { is: 'answered', answer: answerOf(withoutSecret(reply)) };
    return response(answerOf(reply));
  } catch (error) {
    if (error instanceof ProblemError) end = { is: 'nothing' };
    throw error;
  } finally {
    clearInterval(renewing);
    await object().settle(job_id, end);
  }
}

/** Null when none of these jobs has been made, or all are deleted. */
async function firstThere(env: Env, jobs: readonly string[]): Promise<string | null> {
  const views = await Promise.all(jobs.map((id) => env.JOB.getByName(id).view()));
  return jobs.find((_, i) => views[i]) ?? null;
}

function answerOf({ status, headers, body }: Reply): Answer {
  return { status, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

/** A secret is told once, and not kept for who asks again. */
function withoutSecret({ body, ...rest }: Reply): Reply {
  return { ...rest, body: body.webhook ? { ...body, webhook: { ...body.webhook, secret: null } } : body };
}

const response = ({ body, ...init }: Answer): Response => new Response(body, init);
