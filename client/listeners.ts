/** Handlers by name. One that throws disturbs neither the others nor the stream: it is an uncaught error of its own. */
interface Platform {
  reportError?(error: unknown): void;
}

export class Listeners<Calls extends Record<string, unknown[]>> {
  readonly #byName: { [N in keyof Calls]?: Set<(...args: Calls[N]) => void> } = {};

  /** Returns what takes the handler away again. */
  add<N extends keyof Calls>(name: N, handler: (...args: Calls[N]) => void): () => void {
    const called = (...args: Calls[N]) => handler(...args);
    this.#byName[name] ??= new Set();
    this.#byName[name].add(called);
    return () => this.#byName[name]?.delete(called);
  }

  call<N extends keyof Calls>(name: N, ...args: Calls[N]): void {
    const handlers = this.#byName[name];
    for (const handler of [...(handlers ?? [])]) {
      if (!handlers?.has(handler)) continue;
      try {
        handler(...args);
      } catch (error) {
        report(error);
      }
    }
  }
}

function report(error: unknown): void {
  const { reportError } = globalThis as Platform;
  if (reportError) reportError(error);
  else {
    queueMicrotask(() => {
      throw error;
    });
  }
}
