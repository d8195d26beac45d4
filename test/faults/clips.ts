/** The clips that rounds are about, each made once. */
import { Clips, QUICK, testPicture, testTone } from '../transcoder/clips.ts';
import type { Wish } from './draw.ts';

export type Clip = Pick<Wish, 'seconds' | 'size' | 'rate' | 'sound'>;

export class ClipShelf {
  readonly #clips: Clips;
  readonly #made = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  #counting: Promise<unknown> = Promise.resolve();

  private constructor(clips: Clips) {
    this.#clips = clips;
  }

  static async open(): Promise<ClipShelf> {
    return new ClipShelf(await Clips.open());
  }

  get(clip: Clip): Promise<Uint8Array<ArrayBuffer>> {
    const name = nameOf(clip);
    const made = this.#made.get(name) ?? this.#make(name, clip);
    this.#made.set(name, made);
    return made;
  }

  /** What ffprobe counts in a file: pictures that decode, or audio frames. One after the other. */
  async count(bytes: Uint8Array): Promise<number> {
    const counting = this.#counting.then(() => this.#clips.count(bytes));
    this.#counting = counting.catch(() => undefined);
    return (await counting).frames;
  }

  close(): Promise<void> {
    return this.#clips.close();
  }

  async #make(name: string, { seconds, size, rate, sound }: Clip): Promise<Uint8Array<ArrayBuffer>> {
    const picture = testPicture(size, String(rate), seconds);
    const args = [...picture, ...(sound ? testTone(seconds) : []), ...QUICK, '-shortest'];
    return new Uint8Array(await this.#clips.read(await this.#clips.make(name, ...args)));
  }
}

export const nameOf = ({ seconds, size, rate, sound }: Clip): string =>
  `${size}-${rate}fps-${seconds}s${sound ? '-sound' : ''}.mp4`;
