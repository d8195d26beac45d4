/**
 * What one round will suffer, drawn from a number: the same number, the same draw. Time is counted in requests that the
 * transcoders make: the `at`th of them sets a fault off. So faults fall into the middle of the work, however fast the
 * machine is.
 */
import * as fc from 'fast-check';
import type { Order } from './orders.ts';

/** A job: a clip made for it, and what is asked of it. */
export interface Wish {
  readonly seconds: number;
  /** Small, as what suffers is the segments; the larger one has two rungs. */
  readonly size: '256x144' | '512x288';
  readonly rate: number;
  readonly sound: boolean;
  readonly ladder: number[] | null;
  readonly mp4: boolean;
  readonly priority: 'normal' | 'high';
}

/** SIGKILL, SIGSTOP (until the lease is lost, or all that it worked on has ended; then SIGCONT), or SIGTERM. */
export interface Blow {
  readonly kind: 'kill' | 'stop' | 'terminate';
  readonly at: number;
  /** Which transcoder: counted through, those that work first. */
  readonly who: number;
  readonly until: 'lost' | 'ended';
}

/** The edge loses its memory. */
export interface Restart {
  readonly kind: 'restart';
  readonly at: number;
}

export interface Ordered {
  readonly kind: 'order';
  readonly at: number;
  readonly order: Order;
}

/**
 * What happens to one request. `cut_request`: the connection breaks in the middle of it. `cut_answer`: it arrives, and
 * the connection breaks in the middle of the answer. `duplicate`: a copy follows `ms` later, whose answer nobody reads.
 * `overtake`: it waits until others that came later have been answered, at most `ms`.
 */
export interface Disturbance {
  readonly kind: 'delay' | 'delay_answer' | 'cut_request' | 'cut_answer' | 'duplicate' | 'overtake';
  readonly at: number;
  readonly ms: number;
}

export interface Draw {
  readonly wishes: Wish[];
  readonly blows: (Blow | Restart)[];
  readonly orders: Ordered[];
  readonly disturbances: Disturbance[];
  /** How the watchers' connections are cut. */
  readonly cutting: { readonly seed: number; readonly cuts: number; readonly within: number };
}

/** About how many requests a round makes before its jobs have ended, and before they begin. */
const REQUESTS = 110;
const BEGINNING = 20;

/** Of what is tried again after pauses that double. */
const FEW = 2;

/** Fewer than a transcoder tries an upload, so that the attempt survives. */
const SOME = 8;

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
const from = <const T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const upTo = (most: number, least = 1): fc.Arbitrary<number> => fc.integer({ min: least, max: most });
const list = <T>(one: fc.Arbitrary<T>, minLength: number, maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength, maxLength });

const wish = record<Wish>({
  seconds: from(2, 3, 3, 5, 5, 7, 12),
  size: from('256x144', '256x144', '512x288'),
  rate: from(12, 15),
  sound: fc.boolean(),
  ladder: from([240], [240], [240], null),
  mp4: from(false, false, true),
  priority: from('normal', 'high'),
});

const blow: fc.Arbitrary<Blow> = record<Blow>({
  kind: from('kill', 'kill', 'stop', 'stop', 'terminate'),
  at: upTo(REQUESTS, BEGINNING),
  who: upTo(3, 0),
  until: from('lost', 'ended'),
});
const restart: fc.Arbitrary<Restart> = record<Restart>({ kind: fc.constant('restart'), at: upTo(REQUESTS, BEGINNING) });

const order = (
  bindings: Order['binding'][],
  hows: Order['how'][],
  most: { skip: number; calls: number; at: number },
): fc.Arbitrary<Ordered> =>
  record<Ordered>({
    kind: fc.constant('order'),
    at: upTo(most.at, 0),
    order: record<Order>({
      binding: from(...bindings),
      how: from(...hows),
      skip: upTo(most.skip, 0),
      calls: upTo(most.calls),
    }),
  });

/** Messages are few, and most of them leave when jobs are submitted. */
const message = order(
  ['TRANSCODE_QUEUE', 'TRANSCODE_QUEUE_HIGH'],
  ['dropped', 'doubled', 'doubled', 'refused', 'unanswered'],
  { skip: 1, calls: FEW, at: 0 },
);
const listing = order(['DB'], ['refused', 'unanswered'], { skip: 6, calls: FEW, at: REQUESTS });
const source = order(['INPUT'], ['refused', 'unanswered'], { skip: 8, calls: 3, at: 0 });
const storage = order(['OUTPUT'], ['refused', 'unanswered'], { skip: 10, calls: SOME, at: REQUESTS });

const disturbance = record<Disturbance>({
  kind: from('delay', 'delay_answer', 'cut_request', 'cut_answer', 'duplicate', 'duplicate', 'overtake'),
  at: upTo(REQUESTS),
  ms: upTo(700, 50),
});

const round = record<Draw>({
  wishes: list(wish, 2, 3),
  blows: fc
    .tuple(list(blow, 1, 3), list(restart, 0, 1))
    .map(([blows, restarts]) => [...blows, ...restarts].sort((a, b) => a.at - b.at)),
  orders: fc
    .tuple(list(message, 1, 2), list(listing, 0, 2), list(source, 0, 1), list(storage, 1, 3))
    .map((orders) => orders.flat().sort((a, b) => a.at - b.at)),
  disturbances: fc.uniqueArray(disturbance, { minLength: 12, maxLength: 30, selector: ({ at }) => at }),
  cutting: record<Draw['cutting']>({
    seed: upTo(2 ** 31 - 1),
    cuts: upTo(6, 2),
    within: from(1500, 6000, 16_000),
  }),
});

export function draw(seed: number): Draw {
  const [drawn] = fc.sample(round, { seed, numRuns: 1, unbiased: true });
  if (!drawn) throw new Error('Nothing was drawn');
  return drawn;
}
