/** A value that is replaced, and those who are told: what every state of the app is made of. */
import { useSyncExternalStore } from 'react';

export class Store<T> {
  readonly #subscribers = new Set<() => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  readonly subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const tell of [...this.#subscribers]) tell();
  }

  /** Changes some fields of a value that is an object. */
  change(part: Partial<T>): void {
    this.set({ ...this.#value, ...part });
  }
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get);
