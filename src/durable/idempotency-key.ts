/**
 * One object per `Idempotency-Key`: who sends a request again, because the answer never came, gets the first answer and
 * not a second job. Only an answer that made something is kept, for a day; a request that was refused has left nothing,
 * so its key is free again. While a request runs it says so again and again: one that fell silent has died with its
 * edge, and the next one goes on with the job that it may have made.
 */
import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import type { Env } from './env.ts';

const KEPT_MS = 86_400_000;

/** A request that has not been renewed for so long does not run any more. */
export const SILENCE_MS = 30_000;

export const Answer = z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string() });
export type Answer = z.infer<typeof Answer>;

const Stored = z.discriminatedUnion('state', [
  z.object({ state: z.literal('running'), job_id: z.string(), seen_at: z.int() }),
  z.object({ state: z.literal('answered'), answer: Answer }),
]);
type Stored = z.infer<typeof Stored>;

/** What a request with the key has to do. `run`: make the job `job_id`; `before` is the job of one that fell silent. */
export type Claim =
  | { is: 'run'; job_id: string; before: string | null }
  | { is: 'running' }
  | { is: 'answered'; answer: Answer };

export class IdempotencyKey extends DurableObject<Env> {
  async claim(job_id: string): Promise<Claim> {
    const stored = await this.#load();
    if (stored?.state === 'answered') return { is: 'answered', answer: stored.answer };
    if (stored && Date.now() - stored.seen_at < SILENCE_MS) return { is: 'running' };
    await this.#save({ state: 'running', job_id, seen_at: Date.now() });
    return { is: 'run', job_id, before: stored?.job_id ?? null };
  }

  /** The request that makes this job still runs. */
  async renew(job_id: string): Promise<void> {
    if (await this.#isRunning(job_id)) await this.#save({ state: 'running', job_id, seen_at: Date.now() });
  }

  /** It does not run any more; without an answer the key is free. */
  async settle(job_id: string, answer: Answer | null): Promise<void> {
    if (!(await this.#isRunning(job_id))) return;
    if (answer) await this.#save({ state: 'answered', answer });
    else await this.alarm();
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  async #isRunning(job_id: string): Promise<boolean> {
    const stored = await this.#load();
    return stored?.state === 'running' && stored.job_id === job_id;
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
