/** One line an event, for logs and pipes; the same line is not said twice in a row. JSON lines beside it. */
import { type Display, renditionsOf, speedText, visibleOf } from './display.ts';

export class Lines implements Display {
  #last = '';

  note(text: string): void {
    console.log(text);
  }

  event(event: Parameters<Display['event']>[0]): void {
    const visible = visibleOf(event);
    if (visible === null) return;
    const parts = renditionsOf(event).map(({ name, percent, speed }) =>
      `${name} ${Math.floor(percent)}% ${speedText(speed)}`.trimEnd(),
    );
    const details = parts.length > 0 ? ` (${parts.join(', ')})` : '';
    const line = `${String(visible.progress).padStart(3)}% ${visible.stage}: ${visible.message}${details}`;
    if (line !== this.#last) console.log(line);
    this.#last = line;
  }

  end(): void {}
}

/** stdout carries nothing but JSON; what is said to people goes to stderr. */
export class JsonLines implements Display {
  note(text: string): void {
    console.error(text);
  }

  event({ event, id, data }: Parameters<Display['event']>[0]): void {
    console.log(JSON.stringify({ event, id, data }));
  }

  end(): void {}
}
