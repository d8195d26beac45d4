/** One line an event, for logs and pipes; the same line is not said twice in a row. JSON lines beside it. */
import type { StreamEvent } from '../../client/index.ts';
import { type Display, renditionsOf, type Sent } from './display.ts';
import { sizeText, speedText } from './units.ts';

/** Of smaller files nobody has to be told how far they are. */
const WORTH_TELLING_BYTES = 64 * 2 ** 20;

export class Lines implements Display {
  readonly #isLabelled: boolean;
  readonly #tenths = new Map<string, number>();
  #last = '';

  /** `labelled`: each line says which video it is about. */
  constructor(labelled: boolean) {
    this.#isLabelled = labelled;
  }

  note(text: string): void {
    console.log(text);
  }

  /** A line for each tenth, but not for the last one: what follows says that all is there. */
  sent(video: string, { sent, total }: Sent): void {
    const tenth = Math.floor((sent / total) * 10);
    if (total < WORTH_TELLING_BYTES || tenth <= (this.#tenths.get(video) ?? 0)) return;
    this.#tenths.set(video, tenth);
    if (sent < total) this.#say(video, `${sizeText(sent)} of ${sizeText(total)} sent`);
  }

  event(video: string, event: StreamEvent): void {
    const { progress, stage, message } = event.data;
    const parts = renditionsOf(event).map(({ name, percent, speed }) =>
      `${name} ${Math.floor(percent)}% ${speedText(speed)}`.trimEnd(),
    );
    const details = parts.length > 0 ? ` (${parts.join(', ')})` : '';
    const far = message.toLowerCase().startsWith(`${stage}: `) ? message.slice(stage.length + 2) : message;
    this.#say(video, `job ${String(progress).padStart(3)}%, ${stage}: ${far}${details}`);
  }

  end(): void {}

  #say(video: string, text: string): void {
    const line = this.#isLabelled ? `${video}: ${text}` : text;
    if (line !== this.#last) console.log(line);
    this.#last = line;
  }
}

/** stdout carries nothing but JSON; what is said to people goes to stderr. */
export class JsonLines implements Display {
  note(text: string): void {
    console.error(text);
  }

  sent(): void {}

  /** On the stream `done` stands before `complete`, for readers who wait for it; the SDK's watch leaves it out. */
  event(_: string, { event, id, data }: StreamEvent): void {
    if (event === 'complete') console.log(JSON.stringify({ event: 'done', id: null, data: {} }));
    console.log(JSON.stringify({ event, id, data }));
  }

  end(): void {}
}
