/**
 * How the demo comes to a running Reelwire: it joins one of this version on PORT that has a transcoder online, else
 * starts its own. One that is just starting (it holds the lock of STATE_DIR) is waited for; should it end instead, all
 * begins anew.
 */
import { askHealth, VERSION } from '../health.ts';
import { holderOf } from '../lock.mjs';
import { Refusal } from '../main.ts';
import { stateLock } from '../paths.mjs';
import { Service } from '../service.ts';
import type { Settings } from '../settings.ts';
import { until } from '../until.ts';

export interface Reach {
  origin: string;
  address: string;
  joined: boolean;
  /** Rejects when the service cannot go on; never for one that was joined. */
  failed: Promise<never>;
  /** Leaves a joined Reelwire alone and ends one of ours. */
  leave(): Promise<void>;
}

const JOINABLE_WITHIN_MS = 30_000;
const TRANSCODER_DEATHS = 5;

export async function reach(settings: Settings, stop: AbortSignal, say: (text: string) => void): Promise<Reach> {
  const { origin, address } = settings;
  const lock = stateLock(settings.stateDir);
  const holder = holderOf(lock);
  if (holder !== null && holder.address === address) {
    say(`Joining the Reelwire at ${address} (process ${holder.pid}).`);
    const isGone = () => holderOf(lock) === null;
    await until(async () => isGone() || (await stateOf(origin)) === 'joinable', {
      withinMs: JOINABLE_WITHIN_MS,
      everyMs: 250,
      signal: stop,
    });
    if (!isGone()) return join(settings);
    say('It has just ended.');
    return reach(settings, stop, say);
  }
  if (holder === null) {
    const service = await Service.open(settings, { deathsAllowed: { edge: 0, transcoder: TRANSCODER_DEATHS }, say });
    if ((await stateOf(origin)) === 'absent') return startOwn(settings, service, stop, say);
    await service.stop();
  }
  const joined = await join(settings);
  say(`Joining the Reelwire at ${address}.`);
  return joined;
}

async function startOwn(settings: Settings, service: Service, stop: AbortSignal, say: (text: string) => void) {
  const { origin, address } = settings;
  say(`Starting Reelwire at ${address} ...`);
  try {
    await service.start(stop);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return { origin, address, joined: false, failed: service.failed, leave: () => service.stop() };
}

async function join({ origin, address, stateDir }: Settings): Promise<Reach> {
  const health = await askHealth(origin);
  const elsewhere = 'or start the demo beside it with its own PORT and STATE_DIR';
  if (health === null) {
    const holder = holderOf(stateLock(stateDir));
    if (holder === null) throw new Refusal(`The Reelwire that used ${stateDir} has just ended. Run the command again.`);
    const { pid, address: theirs } = holder;
    if (theirs === undefined || theirs === address) {
      throw new Refusal(
        `Process ${pid} uses ${stateDir}, and does not answer. Run the command again in a moment, or stop that process.`,
      );
    }
    throw new Refusal(
      `Process ${pid} (Reelwire at ${String(theirs)}) uses ${stateDir}, and nothing answers at ${address}. Set PORT to join that one, ${elsewhere}.`,
    );
  }
  if (health.version !== VERSION) {
    throw new Refusal(
      `The Reelwire at ${address} is version ${health.version}, this is ${VERSION}. Stop that one, ${elsewhere}.`,
    );
  }
  if (health.transcoders.online === 0) {
    throw new Refusal(
      `The Reelwire at ${address} has no transcoder. Give it one (npm run transcoder -- --edge ${address}), ${elsewhere}.`,
    );
  }
  const never = new Promise<never>(() => {});
  return { origin, address, joined: true, failed: never, leave: async () => {} };
}

async function stateOf(origin: string): Promise<'absent' | 'joinable' | 'other'> {
  const health = await askHealth(origin);
  if (health === null) return 'absent';
  return health.version === VERSION && health.transcoders.online > 0 ? 'joinable' : 'other';
}
