/**
 * `npm run cost -- JOB_ID`: what a job asked of the platform, and what that costs at Cloudflare's published prices. The
 * log is read from the edge (`EDGE_URL`); its internal entries are for an admin key (`REELWIRE_KEY`).
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Entry } from '../src/contract/entries.ts';
import { JobId } from '../src/contract/ids.ts';
import { type Audience, countsOf } from './cost/counts.ts';
import { dollars, ITEMS, PRICES } from './cost/prices.ts';
import { main, Refusal } from './main.ts';

const USAGE = 'Usage: npm run cost -- JOB_ID [--edge URL] [--watchers N] [--plays N] [--days N] [--jobs N] [--json]';
const PAGE = 1000;

const Count = z.coerce.number().pipe(z.int().min(0).max(1e9));
const Options = z.object({
  id: JobId,
  edge: z.url({ protocol: /^https?$/ }),
  watchers: Count,
  plays: Count,
  days: Count,
  jobs: Count.pipe(z.int().min(1)),
});

await main(async (stop) => {
  const { json, ...given } = read(process.argv.slice(2));
  const { id, edge, jobs, ...audience } = given;
  const counts = countsOf(await logOf(id, edge, stop), audience satisfies Audience);
  const rows = ITEMS.map((item) => ({ item, count: counts[item] * jobs, dollars: dollars(item, counts[item] * jobs) }));
  const total = rows.reduce((sum, row) => sum + row.dollars, 0);
  if (json) console.log(JSON.stringify({ job_id: id, jobs, ...audience, items: rows, dollars: total }));
  else {
    for (const { item, count, dollars } of rows) {
      const { unit, included } = PRICES[item];
      const free = `${(included / (count || 1)).toPrecision(2)} times this are included a month`;
      console.log(`${round(count).padStart(12)}  ${unit.padEnd(32)} $${dollars.toFixed(6)}  (${free})`);
    }
    console.log(`${''.padStart(12)}  ${'together, nothing included'.padEnd(32)} $${total.toFixed(6)}`);
  }
  return 0;
});

function round(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toPrecision(3);
}

function read(args: string[]) {
  try {
    const text = { type: 'string' } as const;
    const options = {
      edge: text,
      watchers: text,
      plays: text,
      days: text,
      jobs: text,
      json: { type: 'boolean' },
    } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const {
      edge = process.env.EDGE_URL || 'http://localhost:8787',
      watchers = '1',
      plays = '1',
      days = '7',
      jobs = '1',
    } = values;
    return { ...Options.parse({ id: positionals[0], edge, watchers, plays, days, jobs }), json: values.json ?? false };
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    throw new Refusal(`${why}\n${USAGE}`, 2);
  }
}

async function logOf(id: string, edge: string, stop: AbortSignal): Promise<Entry[]> {
  const key = process.env.REELWIRE_KEY;
  const log: Entry[] = [];
  for (;;) {
    const address = new URL(`/jobs/${id}/events?after=${log.at(-1)?.seq ?? 0}&limit=${PAGE}`, edge);
    const headers = key ? { Authorization: `Bearer ${key}` } : {};
    const answer = await fetch(address, { signal: stop, headers }).catch(() => null);
    stop.throwIfAborted();
    if (!answer) throw new Refusal(`Nobody answers at ${edge}. Say where with --edge or EDGE_URL.`);
    if (!answer.ok)
      throw new Refusal(
        `${address.origin} answers ${answer.status} for this job. It takes an admin key in REELWIRE_KEY.`,
      );
    const { events } = z.object({ events: z.array(Entry) }).parse(await answer.json());
    log.push(...events);
    if (events.length < PAGE) break;
  }
  if (!log.some(({ type }) => type === '_job'))
    throw new Refusal('The log came without its internal entries. It takes an admin key in REELWIRE_KEY.');
  return log;
}
