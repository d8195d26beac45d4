/** What the rounds came to, for people and for machines. */
import { SETTINGS } from './edge.ts';
import type { Round } from './round.ts';
import type { Summary } from './rounds.ts';

/** Replays one round. */
const replay = ({ seed }: Pick<Round, 'seed'>): string => `npm run faults -- --rounds 1 --seed ${seed}`;

const countOf = (faults: Record<string, number>): string =>
  Object.entries(faults)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');

export function roundText({ seed, seconds, jobs, attempts, faults, losses }: Round): string {
  const outcome = losses.length > 0 ? `${losses.length} LOST` : 'nothing lost';
  return `seed ${seed}: ${jobs} jobs, ${attempts} attempts, ${outcome}, ${seconds.toFixed(1)} s (${countOf(faults)})`;
}

/** Everything that is known about what was lost. */
export function lossText(round: Round): string[] {
  return round.losses.flatMap(({ job, what, evidence }) => [
    `LOST in the round with seed ${round.seed}${job === null ? '' : `, job ${job}`}: ${what}`,
    ...evidence.map((line) => `  ${line}`),
    `Again: ${replay(round)}`,
  ]);
}

const lossesOf = ({ lost }: Summary): number => lost.reduce((sum, { losses }) => sum + losses.length, 0);

export function summaryText(summary: Summary): string[] {
  const { rounds, seed, jobs, attempts, faults } = summary;
  const kinds = Object.entries(faults).sort(([a], [b]) => a.localeCompare(b));
  const widest = Math.max(0, ...kinds.map(([kind]) => kind.length));
  return [
    ...kinds.map(([kind, count]) => `  ${kind.padEnd(widest)} ${String(count).padStart(6)}`),
    `Shortened: ${Object.entries(SETTINGS)
      .map(([name, ms]) => `${name} to ${ms}`)
      .join(', ')}`,
    `${rounds} rounds from seed ${seed}: ${jobs} jobs, ${attempts} attempts, ${lossesOf(summary)} losses`,
  ];
}

export function summaryJson(summary: Summary): string {
  const { lost, ...rest } = summary;
  const details = lost.flatMap(({ seed, losses }) => losses.map((loss) => ({ seed, ...loss })));
  return JSON.stringify({ ...rest, losses: lossesOf(summary), settings: SETTINGS, lost: details });
}
