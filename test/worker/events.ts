/** Reads a stream of server-sent events as text or as events, to its end or up to a wanted one. */

export interface StreamEvent {
  id: number | null;
  event: string;
  data: Record<string, unknown>;
}

function parseBlock(block: string): StreamEvent | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const [event, data, id] = [fields.get('event'), fields.get('data'), fields.get('id')];
  if (event === undefined || data === undefined) return null;
  return { id: id === undefined ? null : Number(id), event, data: JSON.parse(data) };
}

export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';
  #ended = false;
  /** Everything that came, byte for byte. */
  raw = '';

  constructor(answer: Response) {
    if (!answer.body) throw new Error(`No stream: ${answer.status}`);
    this.#reader = answer.body.getReader();
  }

  /** The next event, or null at the end. */
  async next(): Promise<StreamEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const event = parseBlock(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
        if (event) return event;
      } else if (this.#ended) {
        return null;
      } else {
        const { value, done } = await this.#reader.read();
        if (done) this.#ended = true;
        else this.#take(this.#decoder.decode(value, { stream: true }));
      }
    }
  }

  /** Events up to and with the first one that `isLast` accepts, or all. */
  async until(isLast: (event: StreamEvent) => boolean): Promise<StreamEvent[]> {
    const events: StreamEvent[] = [];
    for (let event = await this.next(); event; event = await this.next()) {
      events.push(event);
      if (isLast(event)) break;
    }
    return events;
  }

  rest(): Promise<StreamEvent[]> {
    return this.until(() => false);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  #take(text: string): void {
    this.#text += text;
    this.raw += text;
  }
}
