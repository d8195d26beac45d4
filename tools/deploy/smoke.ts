/**
 * A look from outside, as users come: it is there and of this version, closed to strangers and to transcoders without
 * the token, and, if a key is given, open with it. A new name or version may take a while until it is everywhere.
 */
import { z } from 'zod';
import { askHealth, VERSION } from '../health.ts';
import { Refusal } from '../main.ts';
import { until } from '../until.ts';

const THERE_WITHIN_MS = 120_000;
const ASK_EVERY_MS = 2000;
const ANSWER_WITHIN_MS = 10_000;

const Jobs = z.object({ jobs: z.array(z.unknown()) });

export async function lookFromOutside(
  address: string,
  key: string | undefined,
  stop: AbortSignal,
): Promise<{ seen: string[]; hasKey: boolean }> {
  const patience = { withinMs: THERE_WITHIN_MS, everyMs: ASK_EVERY_MS, signal: stop };
  const look = async () => {
    const answer = await askHealth(address);
    return answer?.version === VERSION && answer;
  };
  const health = await until(look, patience);
  if (!health) {
    throw new Refusal(
      `${address}/health does not say that Reelwire ${VERSION} is there. Ask it yourself in a minute (a new name takes time); ` +
        '`npx wrangler tail`, with the same --env, shows what the Worker says.',
    );
  }
  if (health.mode === 'open')
    throw new Refusal(`${address} is in open mode. Delete the variable REELWIRE_OPEN there at once.`);
  const seen = [`${address}/health: version ${VERSION}, ${health.transcoders.online} transcoders`];
  seen.push(await refused(`${address}/jobs`, 'GET', stop));
  seen.push(await refused(`${address}/internal/fleet`, 'POST', stop));
  if (!key) return { seen, hasKey: false };
  const answer = await ask(`${address}/jobs?limit=1`, { headers: { Authorization: `Bearer ${key}` } }, stop);
  if (!answer.ok)
    throw new Refusal(
      `REELWIRE_KEY opens nothing at ${address}: ${answer.status}. See \`npm run keys -- list --remote\`, with the same --env.`,
    );
  Jobs.parse(await answer.json());
  return { seen: [...seen, `${address}/jobs: the list, with the key`], hasKey: true };
}

async function refused(url: string, method: string, stop: AbortSignal): Promise<string> {
  const { status } = await ask(url, { method }, stop);
  if (status === 401) return `${url}: refused to strangers`;
  const closed = 'Its secrets are not there: run this command again';
  throw new Refusal(
    `${url} answers ${status} to a stranger, not 401. ${status === 403 ? closed : 'Take it down and look into it'}.`,
  );
}

const ask = (url: string, init: RequestInit, stop: AbortSignal): Promise<Response> =>
  fetch(url, { ...init, signal: AbortSignal.any([stop, AbortSignal.timeout(ANSWER_WITHIN_MS)]) });
