/**
 * Published prices of the Workers Paid plan and of R2's standard storage, in US dollars, and what the plan includes a
 * month. Read in Cloudflare's documentation on 2026-11-20; docs/cost.md names the pages.
 */
export interface Price {
  unit: string;
  dollars: number;
  /** Per so many units. */
  per: number;
  /** So many units a month cost nothing. */
  included: number;
}

const MILLION = 1e6;

export const PRICES = {
  worker_requests: { unit: 'requests to the Worker', dollars: 0.3, per: MILLION, included: 10 * MILLION },
  object_requests: { unit: 'requests to Durable Objects', dollars: 0.15, per: MILLION, included: MILLION },
  object_gb_seconds: { unit: 'GB-s of Durable Objects', dollars: 12.5, per: MILLION, included: 400_000 },
  rows_written: { unit: 'rows written by Durable Objects', dollars: 1, per: MILLION, included: 50 * MILLION },
  queue_operations: { unit: 'queue operations', dollars: 0.4, per: MILLION, included: MILLION },
  r2_class_a: { unit: 'R2 class A operations', dollars: 4.5, per: MILLION, included: MILLION },
  r2_class_b: { unit: 'R2 class B operations', dollars: 0.36, per: MILLION, included: 10 * MILLION },
  r2_gb_months: { unit: 'R2 GB-months', dollars: 0.015, per: 1, included: 10 },
} as const satisfies Record<string, Price>;

export type Item = keyof typeof PRICES;
export type Counts = Record<Item, number>;

export const ITEMS = Object.keys(PRICES) as Item[];

/** What a count costs when nothing is included any more. */
export const dollars = (item: Item, count: number): number => (count / PRICES[item].per) * PRICES[item].dollars;
