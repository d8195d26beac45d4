/**
 * What the edge under test is ordered to do wrong at its bindings. An order lets `skip` calls of a binding pass, then
 * spoils `calls` of them; orders for the same binding come one after the other. `refused`: an error, and nothing is
 * done. `unanswered`: it is done, and then an error all the same. `dropped` and `doubled`, for queues: the sender is
 * told that all is well, and the message is never sent, or twice.
 */
import { z } from 'zod';

/** The route of the test's entry that takes orders (POST), says what was done (GET) and forgets them (DELETE). */
export const FAULTS_PATH = '/__faults';

/** What the message of every ordered error contains. */
export const AS_ORDERED = 'as ordered';

const SERVICE = {
  INPUT: 'r2',
  OUTPUT: 'r2',
  DB: 'd1',
  TRANSCODE_QUEUE: 'queue',
  TRANSCODE_QUEUE_HIGH: 'queue',
} as const;
export type Binding = keyof typeof SERVICE;
export const BINDINGS = Object.keys(SERVICE) as Binding[];

export const Order = z.strictObject({
  binding: z.enum(BINDINGS),
  how: z.enum(['refused', 'unanswered', 'dropped', 'doubled']),
  skip: z.int().min(0),
  calls: z.int().min(1),
});
export type Order = z.infer<typeof Order>;

/** How often each kind of fault has happened. */
export const Counts = z.record(z.string(), z.int());
export type Counts = z.infer<typeof Counts>;

/** What the report counts an order's faults as: `r2_refused`, `queue_dropped`. */
export const kindOf = ({ binding, how }: Pick<Order, 'binding' | 'how'>): string => `${SERVICE[binding]}_${how}`;

export function add(sum: Counts, more: Counts): void {
  for (const [kind, count] of Object.entries(more)) sum[kind] = (sum[kind] ?? 0) + count;
}
