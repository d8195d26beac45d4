/**
 * Server-sent events from bytes, as WHATWG HTML section 9.2.6 has it. Bytes may be cut anywhere: inside a UTF-8
 * sequence, between CR and LF, inside a line. An event counts when its blank line has come, and not before.
 */

/** What the parser tells. `id` is the last one that the stream has set; empty when it has set none. */
export interface ParserEvents {
  onEvent(name: string, data: string, id: string): void;
  onComment?(text: string): void;
  /** The server's `retry`, in ms. */
  onRetry?(ms: number): void;
}

const LINE_END = /\r\n?|\n/g;

export class EventStreamParser {
  readonly #to: ParserEvents;
  readonly #decoder = new TextDecoder();
  #line = '';
  /** The text so far ended in CR: a LF that follows belongs to it. */
  #endedInCr = false;
  #name = '';
  #data: string[] = [];
  #id = '';

  constructor(to: ParserEvents) {
    this.#to = to;
  }

  push(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return;
    let start = this.#endedInCr && text.startsWith('\n') ? 1 : 0;
    this.#endedInCr = text.endsWith('\r');
    for (const { index, 0: end } of text.matchAll(LINE_END)) {
      if (index < start) continue;
      const line = this.#line + text.slice(start, index);
      this.#line = '';
      start = index + end.length;
      this.#read(line);
    }
    this.#line += text.slice(start);
  }

  #read(line: string): void {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (line === '') this.#dispatch();
    else if (colon === 0) this.#to.onComment?.(value);
    else if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.#to.onRetry?.(Number(value));
  }

  #dispatch(): void {
    const name = this.#name || 'message';
    const data = this.#data;
    this.#name = '';
    this.#data = [];
    if (data.length > 0) this.#to.onEvent(name, data.join('\n'), this.#id);
  }
}
