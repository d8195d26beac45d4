/**
 * `npm run cost -- JOB_ID`: what a job asked of the platform, and what that costs at Cloudflare's published prices. The
 * log is read from the edge (`EDGE_URL`); its internal entries are for an admin key (`REELWIRE_KEY`).
 */
import { z } from 'zod';
import { Entry } from '../src/contract/entries.ts';
import { countsOf } from './cost/counts.ts';
import { includedText, plain } from './cost/numbers.ts';
import { readCostOptions } from './cost/options.ts';
import { dollars, ITEMS, PRICES } from './cost/prices.ts';
import { main, Refusal } from './main.ts';

const PAGE = 1000;

await main(async (stop) => {
  const { json, id, edge, jobs, audience } = readCostOptions(process.argv.slice(2));
  const counts = countsOf(await logOf(id, edge, stop), audience);
  const rows = ITEMS.map((item) => ({ item, count: counts[item] * jobs, dollars: dollars(item, counts[item] * jobs) }));
  const total = rows.reduce((sum, row) => sum + row.dollars, 0);
  if (json) console.log(JSON.stringify({ job_id: id, jobs, ...audience, items: rows, dollars: total }));
  else {
    for (const { item, count, dollars } of rows) {
      const { unit } = PRICES[item];
      console.log(
        `${plain(count).padStart(12)}  ${unit.padEnd(32)} $${dollars.toFixed(6)}${includedText(item, count)}`,
      );
    }
    console.log(`${''.padStart(12)}  ${'together, nothing included'.padEnd(32)} $${total.toFixed(6)}`);
  }
  return 0;
});

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
