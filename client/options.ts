/** What a client, a watch and an upload can be told, and the check that it makes sense: a mistake shows where it was made. */
import type { Delay } from './delay.ts';
import type { EventSourceClass } from './over-event-source.ts';
import type { Fetch } from './over-fetch.ts';
import type { UploadOptions } from './uploads.ts';

export interface ReelwireOptions {
  /** Where the server is: an absolute http or https address. No default. */
  url: string;
  /**
   * Gives the token of the next request, or null for none. Asked before every request and every connect, and once
   * more when the server answers 401. Default: no token.
   */
  getToken?: () => string | null | Promise<string | null>;
  /** Makes the requests and carries the streams; has to honour its `signal`. Default: the platform's `fetch`. */
  fetch?: Fetch;
  /**
   * Carries the streams instead of `fetch`. The token then travels in the address, and a connection that has fallen
   * silent goes unnoticed. Default: none.
   */
  EventSource?: EventSourceClass;
  /** Waits before a reconnect: `ms` in milliseconds; has to resolve when the signal aborts. Default: a timer. */
  delay?: Delay;
  /** Attempts in a row before a watch or an upload gives up; each sign of life resets the count. 0 to Infinity, default 5. */
  maxAttempts?: number;
}

export interface WatchOptions {
  /** Resume after this event: only what comes later is told. 0: from the first. Default: the job as it is, then what follows. */
  lastEventId?: number | string;
  /** Closes the watch. Default: none. */
  signal?: AbortSignal;
  /** As the client's, for this watch. Default: the client's. */
  maxAttempts?: number;
}

/** As for one job; where it resumes, a watch of several knows only by itself. */
export type WatchManyOptions = Omit<WatchOptions, 'lastEventId'>;

type Check = (value: unknown) => boolean;

const isFunction: Check = (value) => typeof value === 'function';

const isAttempts: Check = (value) =>
  typeof value === 'number' && value >= 0 && (value % 1 === 0 || value === Number.POSITIVE_INFINITY);
const ATTEMPTS = [isAttempts, 'an integer from 0, or Infinity'] as const;

const SIGNAL = [(value: unknown) => value instanceof AbortSignal, 'an AbortSignal'] as const;

const FUNCTION = [isFunction, 'a function'] as const;

const CLIENT: Record<keyof ReelwireOptions, readonly [Check, string]> = {
  url: [isAddress, 'an absolute http or https address without a user, query or fragment'],
  getToken: FUNCTION,
  fetch: FUNCTION,
  EventSource: [isFunction, 'a class'],
  delay: FUNCTION,
  maxAttempts: ATTEMPTS,
};

const WATCH: Record<keyof WatchOptions, readonly [Check, string]> = {
  lastEventId: [(value) => eventId(value) !== null, 'an integer from 0, as a number or a string'],
  signal: SIGNAL,
  maxAttempts: ATTEMPTS,
};

const STORE: Check = (value) =>
  value === null || (typeof value === 'object' && 'get' in value && 'set' in value && 'delete' in value);

const ANYTHING = [() => true, ''] as const;

/** What describes the video, the server checks. */
const UPLOAD: Record<keyof UploadOptions, readonly [Check, string]> = {
  ...{ key: ANYTHING, options: ANYTHING, metadata: ANYTHING, webhookUrl: ANYTHING },
  filename: [(value) => typeof value === 'string', 'a string'],
  onCreated: FUNCTION,
  onProgress: FUNCTION,
  signal: SIGNAL,
  chunkBytes: [(value) => Number.isSafeInteger(value) && Number(value) > 0, 'a number of bytes from 1'],
  resume: [STORE, 'null or an object with get(), set() and delete()'],
  maxAttempts: ATTEMPTS,
};

export function checkUploadOptions(file: unknown, options: UploadOptions): void {
  if (!(file instanceof Blob)) throw new TypeError('upload(): the file must be a File or a Blob.');
  check('upload()', UPLOAD, { ...options });
}

export function checkClientOptions(options: ReelwireOptions): void {
  check('new Reelwire()', CLIENT, { ...options, url: options.url ?? null });
}

export function checkWatchOptions(options: WatchOptions): void {
  check('watch()', WATCH, { ...options });
}

export function checkWatchManyOptions(options: WatchManyOptions): void {
  const { lastEventId: _, ...known } = WATCH;
  check('watchMany()', known, { ...options });
}

function check(what: string, known: Record<string, readonly [Check, string]>, given: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = known[name];
    if (!rule) throw new TypeError(`${what}: there is no option ${name}; known: ${Object.keys(known).join(', ')}.`);
    const [isGood, wanted] = rule;
    if (value !== undefined && !isGood(value)) throw new TypeError(`${what}: ${name} must be ${wanted}.`);
  }
}

function isAddress(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}

/** Null for what is no event id. */
export function eventId(value: unknown): number | null {
  if (typeof value === 'string') return /^\d{1,15}$/.test(value) ? Number(value) : null;
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null;
}
