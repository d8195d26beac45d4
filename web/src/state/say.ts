/** What screen readers are told that did not ask: one sentence at a time. */
import { Store } from './store.ts';

export const said = new Store('');

/** The same sentence twice is told twice. */
export function say(sentence: string): void {
  said.set(said.get() === sentence ? `${sentence}\u00a0` : sentence);
}
