/**
 * Slots, and what fills them. In each round the queues are asked in turn, each for as many messages as there are free
 * slots; a message holds a slot from its arrival until the task it led to is over. Rounds that bring nothing are up to a
 * second apart. `run` ends with the shutdown signal, after its last task, or with `once` when the queues have nothing
 * more to give and all tasks are over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EdgeClient } from './edge/client.ts';
import { Doorbells } from './edge/doorbells.ts';
import type { Fleet } from './edge/fleet.ts';
import type { Lease } from './edge/lease.ts';
import { Puller } from './edge/puller.ts';
import type { Message, Queue } from './edge/queue.ts';
import { backoff } from './edge/retry.ts';
import { IDLE_POLL_MS, LAST_ANSWER_MS, ONCE_TRIES } from './limits.ts';

export interface DispatcherParts {
  readonly queue: Queue;
  readonly edge: EdgeClient;
  readonly fleet: Fleet;
  readonly name: string;
  readonly slots: number;
  /** End when nothing is left to do. */
  readonly once?: boolean;
  readonly log: Logger;
  /** Works on the task until it is over; never rejects, and always closes the lease. */
  readonly runTask: (lease: Lease, log: Logger) => Promise<void>;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #slots = new Set<Promise<void>>();
  /** Jobs whose last task here failed. */
  readonly #failed = new Set<string>();
  #pullers: readonly Puller[] = [];
  #running = 0;
  #unfinished = 0;
  #quiet = 0;
  #wake: () => void = () => undefined;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** How much went wrong: tasks that failed and, with `once`, jobs and queues that were out of reach to the end. */
  get failures(): number {
    return this.#failed.size + this.#unfinished;
  }

  /** Queues that did not answer when they were asked last, or were not asked yet. */
  get silentQueues(): string[] {
    return this.#pullers.filter(({ isAnswered }) => !isAnswered).map(({ name }) => name);
  }

  async run(shutdown: AbortSignal): Promise<void> {
    const { queue, slots, once, log } = this.#parts;
    const stop = { shutdown, lastAnswer: delayed(shutdown, LAST_ANSWER_MS) };
    const work = (lease: Lease, taskLog: Logger) => this.#work(lease, taskLog);
    const doorbells = new Doorbells({ ...this.#parts, stop, work });
    const onMessages = (messages: Message[]) => this.#receive(messages, doorbells, shutdown);
    const pullers = queue.names.map((name) => new Puller({ queue, name, log, onMessages, signal: stop.lastAnswer }));
    this.#pullers = pullers;
    shutdown.addEventListener('abort', () => this.#wake(), { once: true });
    while (!shutdown.aborted) {
      if (this.#slots.size >= slots) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#quiet += 1;
      for (const puller of pullers) {
        const free = slots - this.#slots.size;
        if (free > 0 && !shutdown.aborted) await puller.ask(free);
      }
      if (once && this.#isOver(pullers, doorbells)) break;
      const pause = this.#quiet > 0 ? backoff(IDLE_POLL_MS, this.#quiet) : 0;
      await sleep(pause, undefined, { signal: shutdown }).catch(() => undefined);
    }
    await Promise.all(pullers.map((puller) => puller.settled()));
    await Promise.all(this.#slots);
  }

  /** What a late answer brings beyond the free slots goes back. */
  #receive(messages: Message[], doorbells: Doorbells, shutdown: AbortSignal): void {
    if (messages.length > 0) this.#quiet = 0;
    const free = shutdown.aborted ? 0 : this.#parts.slots - this.#slots.size;
    for (const message of messages.slice(0, free)) this.#occupy(doorbells.answer(message));
    if (messages.length > free) this.#occupy(doorbells.handBack(messages.slice(free)));
  }

  #occupy(work: Promise<void>): void {
    const slot = work.finally(() => {
      this.#slots.delete(slot);
      this.#wake();
    });
    this.#slots.add(slot);
  }

  async #work(lease: Lease, log: Logger): Promise<void> {
    const { fleet, runTask } = this.#parts;
    this.#running += 1;
    fleet.busy(this.#running);
    await runTask(lease, log);
    if (lease.hasFailed) this.#failed.add(lease.job);
    else this.#failed.delete(lease.job);
    this.#running -= 1;
    fleet.busy(this.#running);
  }

  #isOver(pullers: readonly Puller[], { undecided }: Doorbells): boolean {
    if (this.#slots.size > 0) {
      for (const puller of pullers) puller.recount();
      return false;
    }
    const lost = pullers.filter(({ away }) => away >= ONCE_TRIES.away);
    if (!pullers.every((puller) => lost.includes(puller) || puller.empty >= ONCE_TRIES.empty)) return false;
    for (const { name } of lost) this.#parts.log.error({ queue: name }, 'the queue cannot be reached');
    for (const job of undecided) this.#parts.log.error({ job }, 'whether this job has work was never answered');
    this.#unfinished = lost.length + undecided.size;
    return true;
  }
}

/** Aborts some time after `signal` has. */
function delayed(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController();
  signal.addEventListener('abort', () => setTimeout(() => later.abort(signal.reason), ms).unref(), { once: true });
  return later.signal;
}
