/**
 * The two calls of Cloudflare's API that a transcoder makes to a queue, as the official SDK makes them, answered from
 * the local pull queue. The account is not looked at.
 */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { PullQueue } from '../durable/pull-queue.ts';
import type { App } from './app.ts';
import { ProblemError, parse } from './problems.ts';

/** The longest that anybody has to say are the 10,000 parts of a large file. */
const LONGEST_JSON = 4 * 2 ** 20;

/** Limits as documented for the real API. */
const Pull = z.object({
  batch_size: z.int().min(1).max(100).default(5),
  visibility_timeout_ms: z.int().min(0).max(43_200_000).default(30_000),
});
const Ack = z.object({
  acks: z.array(z.object({ lease_id: z.string() })).default([]),
  retries: z
    .array(z.object({ lease_id: z.string(), delay_seconds: z.int().min(0).max(43_200).default(0) }))
    .default([]),
});

export const queueApi = new Hono<App>()
  .post('/accounts/:account/queues/:queue/messages/pull', async (c) => {
    const { batch_size, visibility_timeout_ms } = parse(Pull, await json(c));
    const { backlog, messages } = await queue(c).pull(batch_size, visibility_timeout_ms);
    return c.json(envelope({ message_backlog_count: backlog, messages }));
  })
  .post('/accounts/:account/queues/:queue/messages/ack', async (c) => {
    const { acks, retries } = parse(Ack, await json(c));
    const result = await queue(c).ack(
      acks.map(({ lease_id }) => lease_id),
      retries,
    );
    return c.json(envelope(result));
  });

const envelope = (result: unknown) => ({ success: true, errors: [], messages: [], result });

function queue(c: Context<App, '/accounts/:account/queues/:queue/*'>): DurableObjectStub<PullQueue> {
  if (!c.env.PULL_QUEUE) throw new ProblemError('not_found', 'Here the queue is pulled through the Cloudflare API.');
  return c.env.PULL_QUEUE.getByName(c.req.param('queue'));
}

/** The body as JSON, or a problem that says it is none. No more is read of it than a body of JSON may have. */
export async function json(c: Context<App>, whenEmpty = ''): Promise<unknown> {
  try {
    return JSON.parse((await textOf(c.req.raw)) || whenEmpty);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('invalid_request', 'The body must be JSON.');
  }
}

async function textOf({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > LONGEST_JSON) throw new ProblemError('too_large', `JSON may have at most ${LONGEST_JSON} bytes.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
