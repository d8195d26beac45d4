/**
 * The Worker: the HTTP application, the Durable Objects, the daily work, the consumer that fetches sources from URLs,
 * and, for development, the one that feeds the pull queue.
 */
import { FETCH_QUEUE, FetchCall } from '../contract/fetch.ts';
import type { Env } from '../durable/env.ts';
import { app } from './app.ts';
import { daily } from './cron.ts';
import { fetchSlice } from './fetch/slice.ts';
import { withPageAddress } from './pages.ts';
import { withTusMethod } from './tus.ts';

export { Fleet } from '../durable/fleet.ts';
export { IdempotencyKey } from '../durable/idempotency-key.ts';
export { Job } from '../durable/job/job.ts';
export { PullQueue } from '../durable/pull-queue.ts';
export { Upload } from '../durable/upload/upload.ts';
export { Webhook } from '../durable/webhook/webhook.ts';

export default {
  fetch: (request, env, context) => app.fetch(withPageAddress(withTusMethod(request)), env, context),

  async scheduled({ scheduledTime }, env) {
    await daily(env, scheduledTime);
  },

  async queue(batch, env, context) {
    if (batch.queue === FETCH_QUEUE) {
      const work = Promise.all(batch.messages.map(({ body }) => fetchSlice(env, FetchCall.parse(body).job_id)));
      // The local queue hands out one batch at a time: it is not kept waiting.
      if (env.PULL_QUEUE) context.waitUntil(work);
      else await work;
      return;
    }
    if (!env.PULL_QUEUE) throw new Error('This queue has a pull consumer; the Worker must not consume it');
    const pullQueue = env.PULL_QUEUE.getByName(batch.queue);
    for (const { id, body, timestamp } of batch.messages) {
      await pullQueue.push(id, JSON.stringify(body), timestamp.getTime());
    }
  },
} satisfies ExportedHandler<Env, unknown>;
