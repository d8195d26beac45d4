/**
 * The platform's bindings with faults in them. Every call that leaves the isolate is looked up among the orders; what
 * only prepares one (a statement, the handle of an upload in parts) is wrapped in turn, so that its calls are too.
 */
import type { Env } from '../../../src/durable/env.ts';
import { AS_ORDERED, BINDINGS, type Binding, type Counts, kindOf, type Order } from '../orders.ts';

type Method = (...args: unknown[]) => unknown;

/** Methods that make no call themselves, but something that does. */
const LOCAL = new Set<string | symbol>(['prepare', 'bind', 'withSession', 'resumeMultipartUpload']);

export class Orders {
  readonly done: Counts = {};
  readonly #waiting: Order[] = [];

  add(orders: readonly Order[]): void {
    this.#waiting.push(...orders.map((order) => ({ ...order })));
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** What is to happen to this call of the binding; null when nothing is. */
  next(binding: Binding): Order['how'] | null {
    const at = this.#waiting.findIndex((order) => order.binding === binding);
    const order = this.#waiting[at];
    if (!order) return null;
    if (order.skip > 0) {
      order.skip -= 1;
      return null;
    }
    order.calls -= 1;
    if (order.calls === 0) this.#waiting.splice(at, 1);
    const kind = kindOf(order);
    this.done[kind] = (this.done[kind] ?? 0) + 1;
    return order.how;
  }
}

/** The same environment, but its storage, list and queues obey the orders. */
export function faulty(env: Env, orders: Orders): Env {
  const wrapped = BINDINGS.map((name) => [name, new Wrapper(name, orders).wrap(env[name])]);
  return { ...env, ...Object.fromEntries(wrapped) };
}

class Wrapper {
  readonly #binding: Binding;
  readonly #orders: Orders;
  readonly #originals = new WeakMap<object, object>();

  constructor(binding: Binding, orders: Orders) {
    this.#binding = binding;
    this.#orders = orders;
  }

  wrap<T extends object>(original: T): T {
    const wrapper = new Proxy(original, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]) => (value as Method).apply(target, args.map(this.#unwrap));
        if (LOCAL.has(name)) return (...args: unknown[]) => this.#wrapResult(call(...args));
        return (...args: unknown[]) => this.#call(name, () => call(...args));
      },
    });
    this.#originals.set(wrapper, original);
    return wrapper;
  }

  async #call(name: string | symbol, call: () => unknown): Promise<unknown> {
    const how = this.#orders.next(this.#binding);
    const failure = new Error(`${String(name)}: Internal error, ${AS_ORDERED} (${this.#binding} ${how})`);
    if (how === 'refused') throw failure;
    if (how === 'dropped') return undefined;
    const result = await call();
    if (how === 'doubled') await call();
    if (how === 'unanswered') throw failure;
    return name === 'createMultipartUpload' ? this.#wrapResult(result) : result;
  }

  #wrapResult(result: unknown): unknown {
    return typeof result === 'object' && result !== null ? this.wrap(result) : result;
  }

  /** `batch` is given statements. */
  readonly #unwrap = (arg: unknown): unknown => {
    if (Array.isArray(arg)) return arg.map(this.#unwrap);
    return typeof arg === 'object' && arg !== null ? (this.#originals.get(arg) ?? arg) : arg;
  };
}
