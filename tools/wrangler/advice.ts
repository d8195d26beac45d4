/** A failure of wrangler or of the API as a refusal: what was tried, its words, and the next step where we know it. */
import { Refusal } from '../main.ts';

/** By the words of the failure, most special first. */
const ADVICE: readonly [RegExp, string][] = [
  [
    /not logged in|set a CLOUDFLARE_API_TOKEN/i,
    'Nobody is logged in to Cloudflare. Run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN (docs/deploy.md says what it must be allowed to do)',
  ],
  [
    /enable R2/i,
    'R2 is not enabled for this account. Enable it once at https://dash.cloudflare.com/?to=/:account/r2/overview',
  ],
  [/no such table|Couldn't find a D1 DB/i, 'A deployed database and its tables are made by `npm run deploy`'],
  [
    /workers\.dev subdomain/i,
    'This account has no workers.dev subdomain yet. Register one at https://dash.cloudflare.com/?to=/:account/workers-and-pages, or use --domain',
  ],
  [
    /\[code: (10000|10001|9106|9109|1000)\]/,
    'The login or token is not valid any more, or may not do this. docs/deploy.md lists what a token needs; `npx wrangler login` has it all',
  ],
  [
    /fetch failed|connection error|ENOTFOUND|ECONNREFUSED|EAI_AGAIN/i,
    'Cloudflare could not be reached. Look at the network and at proxies',
  ],
];

export function refusalOf(tried: string, words: string): Refusal {
  const advice = ADVICE.find(([some]) => some.test(words))?.[1] ?? 'Its words say why';
  return new Refusal(`${tried} failed:\n${words}\n${advice}. Then run the same command again.`);
}
