/** Plays rounds, a few side by side: round n of a seed is drawn from `seed + n`. Then sums them up. */
import { ClipShelf } from './clips.ts';
import { add, type Counts } from './orders.ts';
import { playRound, type Round } from './round.ts';

export interface Plan {
  readonly rounds: number;
  readonly seed: number;
  readonly parallel: number;
  readonly stop: AbortSignal;
  readonly onRound?: (round: Round, played: number) => void;
}

export interface Summary {
  readonly rounds: number;
  readonly seed: number;
  readonly jobs: number;
  readonly attempts: number;
  readonly faults: Counts;
  /** The rounds in which something was lost. */
  readonly lost: Round[];
}

export async function playRounds({ rounds, seed, parallel, stop, onRound }: Plan): Promise<Summary> {
  const shelf = await ClipShelf.open();
  const played: Round[] = [];
  let next = seed;
  const playOn = async (): Promise<void> => {
    while (next < seed + rounds && !stop.aborted) {
      const number = next;
      next += 1;
      const round = await playRound(number, shelf, stop);
      played.push(round);
      onRound?.(round, played.length);
    }
  };
  // Each cleans up behind itself, also when another one has come to grief.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(parallel, rounds) }, playOn));
  await shelf.close();
  stop.throwIfAborted();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return sumUp(seed, played);
}

function sumUp(seed: number, played: readonly Round[]): Summary {
  const faults: Counts = {};
  for (const round of played) add(faults, round.faults);
  const total = (key: 'jobs' | 'attempts') => played.reduce((sum, round) => sum + round[key], 0);
  const lost = played.filter(({ losses }) => losses.length > 0);
  return { rounds: played.length, seed, jobs: total('jobs'), attempts: total('attempts'), faults, lost };
}
