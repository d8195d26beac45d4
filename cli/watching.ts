/** Watches jobs side by side to their ends, says how each has ended, and makes one exit code of it all. */
import { Attention } from './attention.ts';
import type { Context } from './context.ts';
import { chooseDisplay } from './display/choose.ts';
import type { Display } from './display/display.ts';
import { EXIT, tell } from './failure.ts';
import { failureText, hasCompleted, type Outcome, summaryJson, summaryText } from './summary.ts';
import { typed } from './typed.ts';
import { type Watched, watchToEnd } from './watch.ts';

export class Watching {
  readonly display: Display;
  readonly attention: Attention;
  readonly #context: Context;
  readonly #isLabelled: boolean;
  readonly #ends: Promise<number>[] = [];
  readonly #last: (() => void)[] = [];
  readonly #labels = new Set<string>();

  /** `labelled`: there are several. */
  constructor(context: Context, labelled: boolean) {
    this.#context = context;
    this.#isLabelled = labelled;
    this.display = chooseDisplay(context.json, labelled);
    this.attention = new Attention(context, this.display);
  }

  /** What a video is called that may have the same name as another one. */
  label(name: string): string {
    let label = name;
    for (let n = 2; this.#labels.has(label); n += 1) label = `${name} (${n})`;
    this.#labels.add(label);
    return label;
  }

  begin(watched: Watched, since?: number): void {
    const { client } = this.#context;
    this.attention.began(watched.jobId);
    const end = watchToEnd(client, watched, this.display, this.attention.watching, since)
      .then((outcome) => this.#report(outcome))
      .catch((error: unknown) => this.refused(error, watched.name));
    end.catch(() => undefined);
    this.#ends.push(end);
  }

  /** One of several cannot go on, which is told; the exit code. Throws when it was stopped. */
  refused(error: unknown, name: string): number {
    this.attention.watching.throwIfAborted();
    this.#last.push(() => tell(error, this.#context, this.#isLabelled ? `${name}: ` : ''));
    return EXIT.refused;
  }

  /** The greatest of all exit codes, `others` among them. */
  async end(others: number[]): Promise<number> {
    const codes = await Promise.all(this.#ends);
    this.#tellLast();
    return Math.max(EXIT.ok, ...codes, ...others);
  }

  /** Says what becomes of jobs that nobody watches any more. */
  leave(): void {
    this.#tellLast();
    const { running } = this.attention;
    if (running.length > 0) this.display.note(`Jobs go on without you: ${typed('watch', ...running)}`);
  }

  /** How jobs ended, and what was refused: each once. */
  #tellLast(): void {
    this.display.end();
    for (const say of this.#last.splice(0)) say();
  }

  close(): void {
    this.attention.close();
    this.display.end();
  }

  #report(outcome: Outcome): number {
    this.attention.ended(outcome.jobId);
    if (this.#context.json) console.log(summaryJson(outcome));
    this.#last.push(() => this.#tellEnd(outcome));
    return hasCompleted(outcome) ? EXIT.ok : EXIT.failed;
  }

  #tellEnd(outcome: Outcome): void {
    const { end, jobId, name } = outcome;
    const label = this.#isLabelled ? `${name}: ` : '';
    if (end.event !== 'complete') {
      console.error(`${label}${failureText(end)}`);
      if (end.event === 'cancelled' || end.data.details.retryable) console.error(`Try again: ${typed('retry', jobId)}`);
    } else if (!this.#context.json) {
      const lines = summaryText(outcome, this.#context.url, (page) => `Watch it: ${page}`);
      console.log(`${label}${lines.join('\n')}`);
    }
  }
}
