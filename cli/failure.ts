/** What a command says when it cannot do what it was asked for: a sentence, a stable code, and what to do next. */
import type { CommanderError } from 'commander';
import { ApiError, UploadError, WatchError } from '../client/index.ts';
import { PROBLEM_ADVICE } from '../src/contract/meanings.ts';
import { Refusal } from '../tools/main.ts';
import { typed } from './typed.ts';

/** `failed`: a job has failed or was cancelled, or `doctor` has found something. `refused`: by the server, or it is out of reach. */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3 } as const;

export interface Failure {
  code: string;
  message: string;
  /** What to do; null when the message says it, or nothing can be done. */
  next: string | null;
  /** Whether `doctor` may find more. */
  isForDoctor?: boolean;
  exitCode: Refusal['exitCode'];
}

/** Null for what is no failure of a request or of the command line, but a mistake in this program. */
export function explain(error: unknown, url: string): Failure | null {
  if (error instanceof Refusal) {
    const { message, exitCode } = error;
    return { code: exitCode === EXIT.usage ? 'usage' : 'failed', message, next: null, exitCode };
  }
  if (error instanceof ApiError) return refused(error);
  if (error instanceof WatchError) {
    if (error.cause instanceof ApiError) return refused(error.cause);
    return error.code === 'gave_up' ? unreachable(url, error.cause) : null;
  }
  if (error instanceof UploadError) {
    if (error.code === 'gave_up') return unreachable(url, error.cause);
    return { code: error.code, message: error.message, next: null, exitCode: EXIT.refused };
  }
  return isOfNetwork(error) ? unreachable(url, error) : null;
}

export const inWords = (failure: Failure): string => {
  const { message, code, exitCode } = failure;
  const next = nextOf(failure);
  const sentence = exitCode === EXIT.refused ? `${message} (${code})` : message;
  return next === null ? sentence : `${sentence}\n${next}`;
};

const nextOf = ({ next, isForDoctor = false }: Failure): string | null =>
  isForDoctor ? `${next === null ? '' : `${next} `}"${typed('doctor')}" looks closer.` : next;

/** On stderr: a sentence and what to do, or with `json` one object; `about` goes first. The exit code. */
export function tell(error: unknown, { url, json }: { url: string; json: boolean }, about = ''): number {
  const failure = explain(error, url);
  if (failure === null) throw error;
  const { code, message, exitCode } = failure;
  const next = nextOf(failure);
  console.error(
    json
      ? JSON.stringify({ error: { code, message: about + message, next, exit_code: exitCode } })
      : about + inWords(failure),
  );
  return exitCode;
}

/** `fetch` throws a TypeError whose cause is the network's error, or what its time-out throws. */
const isOfNetwork = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'TimeoutError' || (error instanceof TypeError && error.cause instanceof Error));

function unreachable(url: string, error: unknown): Failure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause);
  return {
    code: 'unreachable',
    message: `Nothing answers at ${url}: ${reason}.`,
    next: 'Start it ("npm start"), or say where it is with --url or REELWIRE_URL.',
    isForDoctor: true,
    exitCode: EXIT.refused,
  };
}

function refused({ status, code, detail }: ApiError): Failure {
  const message = code === 'invalid_job_id' ? 'That is no id of a job.' : detail;
  const isForDoctor = status >= 500 || code.startsWith('http_');
  return { code, message, next: nextAfter(status, code), isForDoctor, exitCode: EXIT.refused };
}

export const wantsKey = (): string =>
  `Set REELWIRE_KEY to a key of this server. "${typed('keys create --help')}" says how to make one.`;

function nextAfter(status: number, code: string): string | null {
  switch (code) {
    case 'unauthorized':
      return wantsKey();
    case 'access_closed':
      return PROBLEM_ADVICE.access_closed;
    case 'forbidden':
      return 'Use a key that may do this: submit sends, cancels and retries, admin also deletes.';
    case 'job_not_found':
    case 'invalid_job_id':
      return `"${typed('jobs')}" shows what is there.`;
    case 'invalid_state':
      return `"${typed('show JOB')}" says what state the job is in.`;
    case 'rate_limited':
      return 'Wait a minute, then run the command again.';
    default:
      if (code.startsWith('http_')) return 'Check --url or REELWIRE_URL.';
      return status >= 500 ? 'Run the command again in a moment.' : null;
  }
}

/** A command line that cannot be used. */
export function usage({ code, message }: CommanderError): Refusal {
  const why = code === 'commander.help' ? 'Say what to do.' : message.replace(/^error: /, '');
  const help = `"${typed('--help')}" shows the commands, "${typed('COMMAND --help')}" what one takes.`;
  return new Refusal(`${why}\n${help}`, 2);
}
