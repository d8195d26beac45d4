/**
 * One object per `Idempotency-Key`: who sends a request again, because the answer never came, gets the first answer and
 * not a second job. Only an answer that made something is kept, for a day; a request that was refused has left nothing,
 * so its key is free again. While a request runs it says so again and again: one that fell silent has died with its
 * edge. It may have made its job, as may one that failed: what they would have called it is remembered, so that the
 * next request looks for all of these before it makes another.
 */
import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import type { Env } from './env.ts';

const KEPT_MS = 86_400_000;

/** A request that has not been renewed for so long does not run any more. */
export const SILENCE_MS = 30_000;

export const Answer = z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string() });
export type Answer = z.infer<typeof Answer>;

/** So many earlier requests with a key are remembered. */
const MOST_EARLIER = 20;

const Running = z.object({
  state: z.literal('running'),
  job_id: z.string(),
  /** The jobs that earlier requests may have made, the latest first. */
  before: z.array(z.string()).default([]),
  /** Milliseconds since 1970; 0 when it does not run any more. */
  seen_at: z.int(),
});
type Running = z.infer<typeof Running>;

const Stored = z.discriminatedUnion('state', [Running, z.object({ state: z.literal('answered'), answer: Answer })]);
type Stored = z.infer<typeof Stored>;

/** What a request with the key has to do. `run`: make the job `job_id`, unless one of `before` is there. */
export type Claim =
  | { is: 'run'; job_id: string; before: string[] }
  | { is: 'running' }
  | { is: 'answered'; answer: Answer };

/** How a request ended. `nothing`: it has not made its job, and will not. `failed`: that is not certain. */
export type Settled = { is: 'answered'; answer: Answer } | { is: 'nothing' } | { is: 'failed' };

export class IdempotencyKey extends DurableObject<Env> {
  async claim(job_id: string): Promise<Claim> {
    const stored = await this.#load();
    if (stored?.state === 'answered') return { is: 'answered', answer: stored.answer };
    if (stored && Date.now() - stored.seen_at < SILENCE_MS) return { is: 'running' };
    const before = stored ? [stored.job_id, ...stored.before].slice(0, MOST_EARLIER) : [];
    await this.#save({ state: 'running', job_id, before, seen_at: Date.now() });
    return { is: 'run', job_id, before };
  }

  /** The request that makes this job still runs. */
  async renew(job_id: string): Promise<void> {
    const running = await this.#running(job_id);
    if (running && running.seen_at > 0) await this.#save({ ...running, seen_at: Date.now() });
  }

  /** It does not run any more; without an answer the key is free. */
  async settle(job_id: string, end: Settled): Promise<void> {
    const running = await this.#running(job_id);
    if (!running) return;
    switch (end.is) {
      case 'answered':
        return this.#save({ state: 'answered', answer: end.answer });
      case 'failed':
        return this.#save({ ...running, seen_at: 0 });
      case 'nothing': {
        const [last, ...before] = running.before;
        return last === undefined ? this.alarm() : this.#save({ state: 'running', job_id: last, before, seen_at: 0 });
      }
      default:
        return end satisfies never;
    }
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /** The request that makes this job, unless another one has the key. */
  async #running(job_id: string): Promise<Running | null> {
    const stored = await this.#load();
    return stored?.state === 'running' && stored.job_id === job_id ? stored : null;
  }

  async #load(): Promise<Stored | null> {
    const stored = await this.ctx.storage.get('request');
    return stored === undefined ? null : Stored.parse(stored);
  }

  async #save(stored: Stored): Promise<void> {
    await Promise.all([
      this.ctx.storage.put('request', Stored.parse(stored)),
      this.ctx.storage.setAlarm(Date.now() + KEPT_MS),
    ]);
  }
}
