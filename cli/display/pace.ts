/** How fast something goes, and how long it will take, from what the last seconds have shown. */

const WINDOW_MS = 10_000;
/** With less than this to go by, nothing is said. */
const SHORTEST_MS = 500;

export class Pace {
  #samples: { at: number; value: number }[] = [];

  /** `at` in ms. A value below the last one begins anew. */
  add(value: number, at = performance.now()): void {
    if (value < (this.#samples.at(-1)?.value ?? 0)) this.#samples = [];
    this.#samples.push({ at, value });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) > WINDOW_MS) this.#samples.shift();
  }

  /** Per second; null while that cannot be said. */
  get perSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < SHORTEST_MS || last.value <= first.value) return null;
    return ((last.value - first.value) / (last.at - first.at)) * 1000;
  }

  /** Seconds until `total` is reached; null while that cannot be said. */
  secondsTo(total: number): number | null {
    const [last, pace] = [this.#samples.at(-1), this.perSecond];
    return last && pace !== null ? Math.max(0, total - last.value) / pace : null;
  }
}
