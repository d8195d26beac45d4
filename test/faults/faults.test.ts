/** The rounds of `npm run faults` that every test run plays; FAULT_SEED plays given ones again. */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { lossText, roundText } from './report.ts';
import { playRounds } from './rounds.ts';

const { FAULT_SEED, REELWIRE_LONG } = process.env;
const ROUNDS = REELWIRE_LONG === '1' ? 20 : 5;

test('whatever fails meanwhile, every accepted job completes once, whole, and leaves nothing', async ({ signal }) => {
  const seed = FAULT_SEED ? Number(FAULT_SEED) : randomInt(2 ** 30);
  const onRound = (round: Parameters<typeof roundText>[0]) => console.log(roundText(round));
  const { rounds, jobs, faults, lost } = await playRounds({ rounds: ROUNDS, seed, parallel: 3, stop: signal, onRound });
  expect(lost.flatMap(lossText)).toEqual([]);
  expect(rounds).toBe(ROUNDS);
  expect(jobs).toBeGreaterThanOrEqual(2 * ROUNDS);
  const count = Object.values(faults).reduce((sum, one) => sum + one, 0);
  expect(count).toBeGreaterThan(10 * ROUNDS);
}, 1_200_000);
