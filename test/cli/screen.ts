/** A terminal of a given size that has no screen: what was written last, line by line, without what moves the cursor. */
import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

const UP = new RegExp(`${String.fromCharCode(27)}\\[\\d+A`);

export class Screen extends Writable {
  readonly isTTY = true;
  readonly columns: number;
  readonly rows: number;
  #text = '';

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#text += chunk;
    done();
  }

  /** The lines from the last time that the cursor went up, or from the beginning. */
  get last(): string[] {
    const drawn = this.#text.split(UP).at(-1) ?? '';
    return stripVTControlCharacters(drawn).trimEnd().split('\n');
  }

  /** All that was ever written. */
  get all(): string {
    return stripVTControlCharacters(this.#text);
  }
}
