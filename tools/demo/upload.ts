/** Sends a file as the raw body of `POST /process`, from disk, with its length. */
import { openAsBlob } from 'node:fs';
import { Accepted } from '../../src/contract/api.ts';
import { Problem } from '../../src/contract/errors.ts';
import { Refusal } from '../main.ts';

export async function upload(origin: string, path: string, key: string, signal: AbortSignal): Promise<Accepted> {
  const address = new URL('/process', origin);
  address.searchParams.set('key', key);
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: await openAsBlob(path),
    signal,
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Refusal(`The upload broke off (${reasonOf(error)}). Is the service at ${origin} still running?`);
  });
  const body: unknown = await answer.json().catch(() => null);
  if (answer.status === 202) return Accepted.parse(body);
  const problem = Problem.safeParse(body);
  if (!problem.success) throw new Refusal(`${origin} refused the upload with HTTP ${answer.status}.`);
  throw new Refusal(`The upload was refused: ${problem.data.detail} (${problem.data.code})`);
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
