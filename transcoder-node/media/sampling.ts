/**
 * Which frames are scored. Every P-th frame opens a triple of neighbours, and the one in the middle gets the score. P
 * is a prime that does not divide the group of pictures: a stride that does would always meet frames of the same kind
 * and flatter the score. P is chosen for about 175 samples however long the clip is, but not below 17, because a
 * smaller one costs more than it tells. Shorter clips get 11 or 7, if that gives enough samples, then every frame,
 * which is exact.
 */
const WANTED_SAMPLES = 175;
const STRIDES = [
  { every: 17, fewest: 32 },
  { every: 11, fewest: 36 },
  { every: 7, fewest: 12 },
] as const;

/** P, or 1 for every frame. */
export function sampleEvery(frames: number, gop: number): number {
  const [usual] = STRIDES;
  const wanted = Math.ceil(frames / WANTED_SAMPLES);
  if (wanted > usual.every) return primeFrom(wanted, gop);
  return STRIDES.find(({ every, fewest }) => frames >= every * fewest && gop % every !== 0)?.every ?? 1;
}

/** How many frames `select` lets through. */
export function keptFrames(frames: number, every: number): number {
  return every === 1 ? frames : 3 * Math.floor(frames / every) + Math.min(3, frames % every) - 1;
}

function primeFrom(least: number, gop: number): number {
  let candidate = least;
  while (!isPrime(candidate) || gop % candidate === 0) candidate += 1;
  return candidate;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) return false;
  return candidate > 1;
}
