/** Whether the edge is there, takes the key, and agrees about the time. */
import manifest from '../../package.json' with { type: 'json' };
import type { Health } from '../../src/contract/api.ts';
import type { Context } from '../context.ts';
import { durationText } from '../display/units.ts';
import { explain, wantsKey } from '../failure.ts';
import { askHealth } from '../health.ts';
import { type Check, fail, ok, skip, warn } from './check.ts';

/** Tokens and webhooks are off by then, or will be soon. */
const CLOCK_TOLERANCE_MS = 30_000;

export async function checkEdge(context: Context): Promise<Check[]> {
  try {
    const { health, aheadMs } = await askHealth(context.url, context.stop);
    return [checkHealth(context.url, health), await checkToken(context, health), checkClock(aheadMs)];
  } catch (error) {
    context.stop.throwIfAborted();
    const why = 'the edge has not answered';
    return [asFailure('edge', error, context.url), skip('token', why), skip('clock', why)];
  }
}

function checkHealth(url: string, { version, transcoders: { online, busy, slots } }: Health): Check {
  const at = `${url}, version ${version}`;
  if (online === 0) {
    const mend = `Jobs wait until there is one: npm run transcoder -- --edge ${url}`;
    return warn('edge', `${at}, no transcoder online`, mend);
  }
  const found = `${at}, transcoders online: ${online}, slots busy: ${busy} of ${slots}`;
  if (version === manifest.version) return ok('edge', found);
  return warn('edge', found, `This command is version ${manifest.version}. Bring both to the same one.`);
}

async function checkToken({ client, url, key }: Context, { mode }: Health): Promise<Check> {
  if (mode === 'open') return ok('token', 'none is needed: the server is in open mode');
  if (key === null) {
    return fail('token', 'none', wantsKey());
  }
  try {
    await client.jobs.list({ limit: 1 });
    return ok('token', 'the key is valid');
  } catch (error) {
    return asFailure('token', error, url);
  }
}

function checkClock(aheadMs: number | null): Check {
  if (aheadMs === null) return skip('clock', 'an edge that runs on your own machine does not tell the time');
  const apart = Math.abs(aheadMs);
  if (apart < CLOCK_TOLERANCE_MS) return ok('clock', 'agrees with that of the edge');
  const found = `${durationText(apart / 1000)} ${aheadMs > 0 ? 'behind' : 'ahead of'} that of the edge`;
  return fail('clock', found, 'Let this machine keep time by the network (on Linux: timedatectl set-ntp true).');
}

function asFailure(check: string, error: unknown, url: string): Check {
  const failure = explain(error, url);
  if (failure === null) throw error;
  return fail(check, `${failure.message} (${failure.code})`, failure.next ?? '');
}
