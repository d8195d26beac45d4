/**
 * What is done to every server. Channels are jobs for ours. Each case warms up, waits until all have everything, and
 * only then is measured.
 */
export interface Case {
  readonly name: string;
  readonly channels: number;
  /** Watchers of each channel. */
  readonly watchers: number;
  /** Clients of each channel that send their request and never read. */
  readonly stuck: number;
  /** POSTs per second and channel; `null`: the next one as soon as the one before is answered. */
  readonly rate: number | null;
  /** Events in each POST, for servers that take several. */
  readonly perPost: number;
  /** Events of each channel, before and while it is measured. */
  readonly warmUp: number;
  readonly events: number;
  /** Length of an event on the wire, as server-sent text, the same for all servers. */
  readonly bytes: number;
}

/** The shortest that an entry of ours is, filled up to a round number. */
const SMALL_BYTES = 256;

const ONE = { channels: 1, stuck: 0, perPost: 1, bytes: SMALL_BYTES };
const paced = (watchers: number): Case => ({
  ...{ ...ONE, name: `W=${watchers}`, watchers },
  ...{ rate: 10, warmUp: 20, events: 100 },
});
/** 15 MB for each watcher. */
const large = { channels: 1, watchers: 500, rate: 40, perPost: 1, warmUp: 20, events: 1000, bytes: 15_000 };

export const PACED = [1, 100, 1000, 3000].map(paced);

export const CASES: readonly Case[] = [
  ...PACED,
  { ...ONE, name: 'burst', watchers: 200, rate: null, perPost: 100, warmUp: 100, events: 1000 },
  { ...ONE, name: 'jobs', channels: 300, watchers: 3, rate: 1, warmUp: 2, events: 10 },
  { ...large, name: 'without stuck', stuck: 0 },
  { ...large, name: 'stuck', stuck: 50 },
];

/** Open files that the largest case needs in one process, with room for the rest. */
export const OPEN_FILES = 2 * Math.max(...CASES.map((one) => one.channels * (one.watchers + one.stuck))) + 1000;
