/**
 * Secrets that the Worker needs and does not have: taken from the environment variable of the same name, or drawn.
 * They go up together with the Worker, so that it is never there without them.
 */
import { randomBytes } from 'node:crypto';
import type { Existing } from './existing.ts';
import type { Wanted } from './wanted.ts';

const BYTES = 32;

/** Name and value. */
export type Secrets = ReadonlyMap<string, string>;

export function missingSecrets({ secrets }: Wanted, existing: Existing): Secrets {
  const missing = secrets.filter((name) => !existing.secrets.has(name));
  return new Map(missing.map((name) => [name, process.env[name] || randomBytes(BYTES).toString('hex')]));
}
