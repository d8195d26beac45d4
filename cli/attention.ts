/**
 * How long people stay with jobs that run elsewhere. They can leave (the jobs go on, and what has been sent of a file
 * stays) or cancel, which ends the sending at once and the watching when each job says that it was cancelled.
 */
import { Interruption } from '../tools/main.ts';
import type { Context } from './context.ts';
import { askAtCtrlC } from './ctrl-c.ts';
import type { Display } from './display/display.ts';
import { explain, inWords } from './failure.ts';

export class Attention {
  /** Aborts when nobody watches any more. */
  readonly watching: AbortSignal;
  /** Aborts when nothing more is to be sent. */
  readonly sending: AbortSignal;
  readonly #context: Context;
  readonly #display: Display;
  readonly #left = new AbortController();
  readonly #cancelled = new AbortController();
  readonly #running = new Set<string>();
  readonly #giveBack: () => void;

  constructor(context: Context, display: Display) {
    this.#context = context;
    this.#display = display;
    this.watching = AbortSignal.any([context.stop, this.#left.signal]);
    this.sending = AbortSignal.any([this.watching, this.#cancelled.signal]);
    this.#giveBack = askAtCtrlC((text) => display.note(text), {
      detach: () => this.#left.abort(new Interruption('SIGINT')),
      cancel: () => this.#cancel(),
    });
  }

  get isCancelled(): boolean {
    return this.#cancelled.signal.aborted;
  }

  /** The jobs that have not ended yet. */
  get running(): string[] {
    return [...this.#running];
  }

  began(jobId: string): void {
    this.#running.add(jobId);
  }

  ended(jobId: string): void {
    this.#running.delete(jobId);
  }

  close(): void {
    this.#giveBack();
  }

  #cancel(): void {
    for (const jobId of this.#running) {
      this.#context.client.jobs.cancel(jobId).catch((error: unknown) => {
        const failure = explain(error, this.#context.url);
        this.#display.note(failure ? inWords(failure) : String(error));
      });
    }
    this.#cancelled.abort(new Interruption('SIGINT'));
  }
}
