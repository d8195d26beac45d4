/**
 * Sets a round's faults off, each at its moment. Whoever would have to lose a lease is spared while a job can bear no
 * further attempt without a new segment: after three of those the job fails, as it should.
 */

import type { Entry } from '../../src/contract/entries.ts';
import { hasEnded } from '../../src/contract/stages.ts';
import { MAX_ATTEMPTS } from '../../src/durable/job/machine.ts';
import { apply, type JobState } from '../../src/durable/job/state.ts';
import { until } from '../../tools/until.ts';
import type { System, Transcoder } from '../e2e/system.ts';
import type { Blow, Draw, Restart } from './draw.ts';
import { add, Counts, FAULTS_PATH, type Order } from './orders.ts';
import type { Population } from './population.ts';
import type { DisturbingProxy } from './proxy.ts';

/** However long the edge takes to notice, a stopped transcoder goes on after this. */
const STOPPED_MS = 20_000;

/** How often is asked whether it may. */
const LOOK_MS = 500;

/** How many requests the others make while one is stopped that works on nothing. */
const IDLE_REQUESTS = 10;

export class Conductor {
  /** What has been done so far; what the proxy and the watchers' network do comes on top. */
  readonly done: Counts = {};
  readonly #system: System;
  readonly #proxy: DisturbingProxy;
  readonly #population: Population;
  readonly #jobs: readonly string[];
  readonly #sleeps = new Set<Promise<void>>();

  constructor(system: System, proxy: DisturbingProxy, population: Population, jobs: readonly string[]) {
    this.#system = system;
    this.#proxy = proxy;
    this.#population = population;
    this.#jobs = jobs;
  }

  /** Resolves when all has been done; rejects when `over` aborts before. */
  async run({ blows, orders }: Pick<Draw, 'blows' | 'orders'>, over: AbortSignal): Promise<void> {
    for (const one of [...blows, ...orders].sort((a, b) => a.at - b.at)) {
      await this.#proxy.reached(one.at, over);
      if (one.kind === 'order') await sendOrders(this.#system, [one.order]);
      else if (one.kind === 'restart') await this.#restart(one);
      else await this.#strike(one, over);
    }
    await Promise.all(this.#sleeps);
  }

  /** No fault from now on. */
  async calm(): Promise<void> {
    this.#proxy.calm();
    this.#population.wake();
    add(this.done, await forgetOrders(this.#system));
    await Promise.allSettled(this.#sleeps);
  }

  async #restart({ kind }: Restart): Promise<void> {
    if ((await this.#states()).some(isAtItsLimit)) return;
    add(this.done, await forgetOrders(this.#system));
    await this.#system.restart();
    add(this.done, { [kind]: 1 });
  }

  async #strike({ kind, who, until: end }: Blow, over: AbortSignal): Promise<void> {
    const states = await this.#states();
    const member = this.#pick(who, states);
    if (!member) return;
    if (kind === 'terminate') {
      this.#population.replace(member, 'SIGTERM');
    } else {
      const { name } = member;
      if (states.some((state) => isAtItsLimit(state) && (!holder(state) || holder(state) === name))) return;
      if (kind === 'kill') this.#population.replace(member, 'SIGKILL');
      else if (!this.#population.stop(member)) return;
      else
        this.#sleep(
          member,
          states.filter((state) => holder(state) === name),
          end,
          over,
        );
    }
    add(this.done, { [kind]: 1 });
  }

  /** Those that work come first. */
  #pick(who: number, states: readonly JobState[]): Transcoder | undefined {
    const busy = new Set(states.map(holder));
    const { members } = this.#population;
    const order = [...members.filter(({ name }) => busy.has(name)), ...members.filter(({ name }) => !busy.has(name))];
    return order[who % order.length];
  }

  #sleep(member: Transcoder, held: readonly JobState[], end: Blow['until'], over: AbortSignal): void {
    const signal = AbortSignal.any([over, AbortSignal.timeout(STOPPED_MS)]);
    const isOver = async (): Promise<boolean> => {
      const states = await this.#states(held.map(({ job_id }) => job_id));
      return held.every(({ job_id, lease }) => {
        const now = states.find((state) => state.job_id === job_id);
        if (!now) return false;
        return end === 'ended' ? hasEnded(now.status) : now.lease?.n !== lease?.n || now.lease?.end !== 'live';
      });
    };
    const waiting =
      held.length === 0
        ? this.#proxy.reached(this.#proxy.requests + IDLE_REQUESTS, signal)
        : until(isOver, { withinMs: STOPPED_MS, everyMs: LOOK_MS, signal });
    const wake = () => this.#population.wake(member);
    this.#sleeps.add(waiting.then(wake, wake));
  }

  /** Jobs as they are now; while the edge restarts, those that can be asked. */
  async #states(jobs = this.#jobs): Promise<JobState[]> {
    const asked = await Promise.allSettled(jobs.map((id) => this.#system.storedLog(id)));
    return asked.flatMap((answer) => (answer.status === 'fulfilled' ? fold(answer.value) : []));
  }
}

function fold(log: readonly Entry[]): JobState[] {
  const state = log.reduce<JobState | null>(apply, null);
  return state ? [state] : [];
}

const holder = ({ lease }: JobState): string | null => (lease?.end === 'live' ? lease.transcoder : null);

/** One more attempt without a new segment, and the job fails. */
function isAtItsLimit({ status, lease, fruitless }: JobState): boolean {
  const isFruitful = lease?.end === 'live' && lease.fruitful;
  return !hasEnded(status) && !isFruitful && fruitless >= MAX_ATTEMPTS - 1;
}

export async function sendOrders({ url }: System, orders: readonly Order[]): Promise<void> {
  const answer = await fetch(url + FAULTS_PATH, { method: 'POST', body: JSON.stringify(orders) });
  Counts.parse(await answer.json());
}

/** Gives what has been done since the edge started. */
async function forgetOrders({ url }: System): Promise<Counts> {
  return Counts.parse(await (await fetch(url + FAULTS_PATH, { method: 'DELETE' })).json());
}
