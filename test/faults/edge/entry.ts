/**
 * The Worker under test: the real one, whose handlers and objects get an environment with faults in it. Of the product
 * nothing knows that it is not the platform's. One route more than the product has takes the orders.
 */
import { z } from 'zod';
import type { Env } from '../../../src/durable/env.ts';
import worker, { Job as RealJob, Upload as RealUpload } from '../../../src/worker/index.ts';
import { FAULTS_PATH, Order } from '../orders.ts';
import { faulty, Orders } from './bindings.ts';

export * from '../../../src/worker/index.ts';

const orders = new Orders();

export class Job extends RealJob {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, faulty(env, orders));
  }
}

export class Upload extends RealUpload {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, faulty(env, orders));
  }
}

async function take(request: Request): Promise<Response> {
  if (request.method === 'POST') orders.add(z.array(Order).parse(await request.json()));
  if (request.method === 'DELETE') orders.clear();
  return Response.json(orders.done);
}

export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname === FAULTS_PATH) return take(request);
    return worker.fetch(request, faulty(env, orders), ctx);
  },
  queue: (batch, env, ctx) => worker.queue(batch, faulty(env, orders), ctx),
  scheduled: (event, env) => worker.scheduled(event, faulty(env, orders)),
} satisfies ExportedHandler<Env, unknown>;
