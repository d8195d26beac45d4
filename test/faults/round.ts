/**
 * One round: jobs are submitted to the real system, followed by watchers, and disturbed as drawn, until every fault has
 * been set off or every job has ended. Then the faults stop, and what is left to do has to be done by itself.
 */
import { inspect } from 'node:util';
import { delay } from '../../client/delay.ts';
import { Reelwire } from '../../client/index.ts';
import { pause } from '../../tools/until.ts';
import type { Heard } from '../browser/page/listen.ts';
import { CuttingProxy } from '../e2e/cutting-proxy.ts';
import type { System } from '../e2e/system.ts';
import { type ClipShelf, nameOf } from './clips.ts';
import { Conductor, sendOrders } from './conductor.ts';
import { type Draw, draw, type Wish } from './draw.ts';
import { startFaultyEdge } from './edge.ts';
import { type Accepted, judge } from './judge.ts';
import { AS_ORDERED, add, type Counts } from './orders.ts';
import { Population } from './population.ts';
import { DisturbingProxy } from './proxy.ts';

const TRANSCODERS = 2;
/** For what is left to do when the faults have stopped. */
const REST_MS = 120_000;
/** How often a refused submission is repeated. */
const SUBMISSIONS = 10;
/** So much shorter than usual are the SDK's waits, so that more happens in a round. */
const HASTE = 10;
const SAID_LINES = 100;

/** Something that must not happen. `evidence`: lines that help to understand it. */
export interface Loss {
  readonly job: string | null;
  readonly what: string;
  readonly evidence: readonly string[];
}

export interface Round {
  readonly seed: number;
  readonly seconds: number;
  readonly jobs: number;
  readonly attempts: number;
  readonly faults: Counts;
  readonly losses: Loss[];
}

export async function playRound(seed: number, shelf: ClipShelf, stop: AbortSignal): Promise<Round> {
  const begun = performance.now();
  const drawn = draw(seed);
  const system = await startFaultyEdge();
  const stage = new Stage(system, shelf, drawn, stop);
  try {
    await stage.play();
  } catch (error) {
    stop.throwIfAborted();
    await stage.lose(null, inWords(error));
  } finally {
    await stage.close();
  }
  const { jobs, attempts, faults, losses } = stage;
  return { seed, seconds: (performance.now() - begun) / 1000, jobs: jobs.length, attempts, faults, losses };
}

class Stage {
  readonly jobs: Accepted[] = [];
  readonly faults: Counts = {};
  readonly losses: Loss[] = [];
  attempts = 0;
  readonly #system: System;
  readonly #shelf: ClipShelf;
  readonly #draw: Draw;
  readonly #stop: AbortSignal;
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #end = new AbortController();
  /** What the watchers have heard that saw their job end. */
  readonly #heard = new Map<string, Heard[]>();
  #population: Population | null = null;

  constructor(system: System, shelf: ClipShelf, drawn: Draw, stop: AbortSignal) {
    this.#system = system;
    this.#shelf = shelf;
    this.#draw = drawn;
    this.#stop = AbortSignal.any([stop, this.#end.signal]);
  }

  async play(): Promise<void> {
    const { wishes, orders, disturbances, cutting } = this.#draw;
    const network = await DisturbingProxy.start(this.#system.url, disturbances);
    this.#closing.push(() => network.close());
    const cutter = await CuttingProxy.start(this.#system.url, cutting);
    this.#closing.push(() => cutter.close());
    this.#population = await Population.start(network.url, TRANSCODERS);
    await sendOrders(
      this.#system,
      orders.filter(({ at }) => at === 0).map(({ order }) => order),
    );
    for (const wish of wishes) this.jobs.push(await this.#submit(wish));

    const ids = this.jobs.map(({ id }) => id);
    const conductor = new Conductor(this.#system, network, this.#population, ids);
    const watching = Promise.all(ids.map((id) => this.#watch(cutter.url, id)));
    const later = { ...this.#draw, orders: orders.filter(({ at }) => at > 0) };
    await this.#unless(watching, (over) => conductor.run(later, over));
    await conductor.calm();
    await Promise.race([watching, pause(REST_MS, this.#stop)]);
    await this.#endPopulation();
    for (const counts of [conductor.done, network.done, { stream_cut: cutter.cuts }]) add(this.faults, counts);
    await Promise.all(this.jobs.map((job) => this.#judge(job)));
  }

  async lose(job: string | null, what: string): Promise<void> {
    const log = job === null ? [] : await this.#system.storedLog(job).catch(() => []);
    const entries = log.map(
      (one) => `${one.seq} ${new Date(one.at).toISOString()} ${one.type} ${JSON.stringify(one.data)}`,
    );
    const said = this.#population?.said(job ?? '') ?? [];
    const complaints = this.#system.complaints().filter((line) => !line.includes(AS_ORDERED));
    this.losses.push({ job, what, evidence: [...entries, ...[...said, ...complaints].slice(-SAID_LINES)] });
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#endPopulation();
    for (const close of this.#closing) await close();
    await this.#system.stop();
  }

  /** After that nobody can write any more, not even late. */
  async #endPopulation(): Promise<void> {
    const left = await this.#population?.end();
    for (const one of left ?? []) await this.lose(null, one);
  }

  /** Storage may fail meanwhile: then the submitter is told so, and tries again. */
  async #submit(wish: Wish): Promise<Accepted> {
    const { ladder, mp4, priority } = wish;
    const clip = await this.#shelf.get(wish);
    let refusal: unknown;
    for (let n = 0; n < SUBMISSIONS; n += 1) {
      try {
        return { id: await this.#system.submit(clip, nameOf(wish), { ladder, mp4, priority }), clip: wish };
      } catch (error) {
        refusal = error;
      }
    }
    throw new Error('No job is accepted', { cause: refusal });
  }

  /** `act` has an end, at the latest when `done` resolves. */
  async #unless(done: Promise<unknown>, act: (over: AbortSignal) => Promise<void>): Promise<void> {
    const over = new AbortController();
    const acting = act(AbortSignal.any([over.signal, this.#stop]));
    try {
      await Promise.race([acting, done]);
    } finally {
      over.abort();
      await acting.catch((error: unknown) => {
        if (!(error instanceof Error && error.name === 'AbortError')) throw error;
      });
    }
  }

  async #watch(edge: string, id: string): Promise<void> {
    const heard: Heard[] = [];
    const hasty = (ms: number, signal: AbortSignal) => delay(ms / HASTE, signal);
    const client = new Reelwire({ url: edge, delay: hasty, maxAttempts: Number.POSITIVE_INFINITY });
    for await (const event of client.watch(id, { lastEventId: 0, signal: this.#stop })) heard.push(event);
    if (!this.#stop.aborted) this.#heard.set(id, heard);
  }

  async #judge(job: Accepted): Promise<void> {
    const { attempt, status } = await this.#system.job(job.id);
    this.attempts += attempt;
    const heard = this.#heard.get(job.id);
    if (!heard) return this.lose(job.id, `it is ${status}, and its watcher saw no end within ${REST_MS / 1000} s`);
    const found = await judge(this.#system, this.#shelf, job, heard).catch((error: unknown) => [inWords(error)]);
    if (found.length > 0) await this.lose(job.id, found.join('\n'));
  }
}

/** With its causes: of a request that failed, the error itself says nothing. */
const inWords = (error: unknown): string => (error instanceof Error ? inspect(error) : String(error));
