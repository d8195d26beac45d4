/**
 * The transcoders of a round: always the same number. One that is killed or ended is replaced by the next, on the same
 * work folder, which therefore has to be empty when the last of them has ended in peace.
 */
import { readdir } from 'node:fs/promises';
import { makeScratch, removeScratch } from '../../tools/scratch.mjs';
import { until } from '../../tools/until.ts';
import { Transcoder } from '../e2e/system.ts';
import { toolsIn } from '../transcoder/harness.ts';

/** The kernel takes a moment to end the tools of a transcoder that was killed. */
const LEFT_MS = 5000;

export class Population {
  readonly #edge: string;
  readonly #folder: string;
  readonly #members: Transcoder[] = [];
  readonly #all: Transcoder[] = [];
  readonly #joining = new Set<Promise<void>>();
  #stopped: Transcoder | null = null;
  #isOver = false;

  private constructor(edge: string, folder: string) {
    this.#edge = edge;
    this.#folder = folder;
    process.once('exit', this.#abandon);
  }

  /** Resolves when all are ready. */
  static async start(edge: string, count: number): Promise<Population> {
    const population = new Population(edge, makeScratch('faults'));
    for (let n = 0; n < count; n += 1) population.#join();
    try {
      await Promise.all(population.#joining);
    } catch (error) {
      await population.end();
      throw error;
    }
    return population;
  }

  /** Those that are ready, in the order in which they came. */
  get members(): readonly Transcoder[] {
    return this.#members;
  }

  /** What all that have ever been here have logged about `text`. */
  said(text: string): string[] {
    return this.#all.flatMap(({ lines }) => lines.filter((line) => line.includes(text)));
  }

  /** SIGKILL or SIGTERM; somebody else comes for it. */
  replace(member: Transcoder, signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#members.splice(this.#members.indexOf(member), 1);
    this.wake(member);
    member.process.kill(signal);
    this.#join(member.exited);
  }

  /** SIGSTOP. False when one is stopped already: somebody has to do the work. */
  stop(member: Transcoder): boolean {
    if (this.#stopped) return false;
    this.#stopped = member;
    return member.process.kill('SIGSTOP');
  }

  /** SIGCONT, if it is stopped. */
  wake(member: Transcoder | null = this.#stopped): void {
    if (member === null || member !== this.#stopped) return;
    member.process.kill('SIGCONT');
    this.#stopped = null;
  }

  /** Ends all in peace. Gives what they leave behind, in words; the second time there is nothing to do. */
  async end(): Promise<string[]> {
    if (this.#isOver) return [];
    this.#isOver = true;
    this.wake();
    const joins = await Promise.allSettled(this.#joining);
    await Promise.all(this.#members.map((member) => member.stop()));
    const left = async (): Promise<string[]> => [
      ...(await toolsIn(this.#folder)).map(({ pid, exe }) => `process ${pid} (${exe}) is left`),
      ...(await readdir(this.#folder)).map((name) => `the work folder ${name} is left`),
    ];
    await until(async () => (await left()).length === 0, { withinMs: LEFT_MS });
    const found = [
      ...joins.flatMap((join) => (join.status === 'rejected' ? [`a transcoder did not start: ${join.reason}`] : [])),
      ...(await left()),
    ];
    removeScratch(this.#folder);
    process.off('exit', this.#abandon);
    return found;
  }

  /** Who is stopped would not notice that this process has gone. */
  readonly #abandon = (): void => this.wake();

  #join(after: Promise<unknown> = Promise.resolve()): void {
    const joining = after
      .then(() => Transcoder.start(this.#edge, this.#folder))
      .then((member) => {
        this.#members.push(member);
        this.#all.push(member);
      });
    this.#joining.add(joining);
    joining.then(
      () => this.#joining.delete(joining),
      () => undefined,
    );
  }
}
