/**
 * A source that the Worker fetches from a URL, one slice after another. Whoever is about to fetch claims the next slice
 * and is told where to go on; the number of the slice fences it: only the last one may bring bytes, and tell how it
 * ended. While one is at work no other begins, so a message that comes twice does not disturb it. What comes next, the
 * next slice, a wait or the end, is decided here and told to the job, which sees to it that it happens.
 *
 * A new run of the job builds on nothing of the one before it: it closes what that has left open, and only the numbers
 * of its slices are counted on, so that the last words of an older run cannot pass for its own.
 */
import type { TaskError } from '../../contract/transcoder.ts';
import { nextAttempt } from '../webhook/pace.ts';
import type { UploadCore } from './core.ts';
import type { Pieces } from './pieces.ts';
import { takenOver } from './refusals.ts';
import type { Fetching, FetchOrder, Position, ResumableUpload, Slice, SliceEnd, SourceFound } from './stored.ts';

/** A slice that brought less may have been one more failure. */
const PROGRESS_BYTES = 256 * 1024;

/** Who has claimed a slice has an answer of the source within the time for it, or has died. */
const GRACE_MS = 10_000;

type Open = ResumableUpload & { fetching: Fetching };

export class Fetched {
  readonly #core: UploadCore;
  readonly #pieces: Pieces;

  constructor(core: UploadCore, pieces: Pieces) {
    this.#core = core;
    this.#pieces = pieces;
  }

  /** Null when there is nothing to fetch, or somebody is fetching it. */
  async claim(order: FetchOrder): Promise<Slice | null> {
    const { store, settings } = this.#core;
    const older = this.#load();
    if (older && older.phase !== 'whole' && runOf(older) < order.run) {
      await this.#pieces.close(order.job_id, runOf(older));
    }
    const upload = this.#opened(order);
    if (!upload || this.#pieces.isTaking || Date.now() < upload.fetching.busy_until) return null;
    const { length, fetching } = upload;
    const { etag, last_modified, ended } = fetching;
    const offset = store.offset;
    if (offset === length) {
      await this.#end(upload);
      return null;
    }
    const n = fetching.slice + 1;
    const busy_until = Date.now() + settings.FETCH_SILENCE_MS + GRACE_MS;
    store.save({ ...upload, fetching: { ...fetching, slice: n, from: offset, busy_until } });
    return { n, offset, ended, length, etag, last_modified };
  }

  /** Takes the bytes of slice `n`, as far as they come. */
  async bring(n: number, found: SourceFound, body: ReadableStream<Uint8Array>): Promise<Position> {
    const upload = this.#held(n);
    if (!upload) throw takenOver();
    const { etag, last_modified, content_type, length } = found;
    const { from } = upload.fetching;
    if (from === 0) {
      const fetching = { ...upload.fetching, etag, last_modified };
      this.#core.store.save({ ...upload, length, content_type, fetching });
    }
    return this.#pieces.take({ offset: from, size: null, length, checksum: null }, body);
  }

  /** Slice `n` is over. */
  async settle(n: number, end: SliceEnd): Promise<void> {
    const upload = this.#held(n);
    if (!upload) return;
    switch (end.is) {
      case 'whole':
        return this.#end(upload);
      case 'ended':
        return this.#lookBehind(upload);
      case 'sliced':
        return this.#goOn(upload, 0, 0);
      case 'failed':
        return this.#tryAgain(upload, end);
      default:
        return end satisfies never;
    }
  }

  /** A connection that broke may look like one that was closed: the server is asked for what comes next. */
  async #lookBehind(upload: Open): Promise<void> {
    const { offset } = this.#core.store;
    const { ended, from } = upload.fetching;
    if (offset === 0 || (ended && offset === from)) return this.#end(upload);
    await this.#goOn(upload, 0, 0, true);
  }

  async #tryAgain(upload: Open, { error, isFinal, wait_ms }: Extract<SliceEnd, { is: 'failed' }>): Promise<void> {
    const { store, settings } = this.#core;
    const { from, failures } = upload.fetching;
    const now = Date.now();
    const count = store.offset - from >= PROGRESS_BYTES ? 1 : failures + 1;
    const next = isFinal ? null : nextAttempt(settings.FETCH_SCHEDULE_MS, count - 1, now);
    if (next === null) return this.#giveUp(upload, error);
    await this.#goOn(upload, count, Math.max(next - now, wait_ms));
  }

  async #goOn(upload: Open, failures: number, wait: number, hasEnded = false): Promise<void> {
    const { store } = this.#core;
    const ended = hasEnded || (upload.fetching.ended && store.offset === upload.fetching.from);
    store.save({ ...upload, fetching: { ...upload.fetching, failures, ended, busy_until: 0 } });
    await this.#core.env.JOB.getByName(upload.job_id).fetchAgain(runOf(upload), wait);
  }

  async #giveUp({ job_id, fetching }: Open, error: TaskError): Promise<void> {
    await this.#core.env.JOB.getByName(job_id).failSource(fetching.run, error);
  }

  /** What is here is all there is. */
  async #end(upload: Open): Promise<void> {
    const { store } = this.#core;
    const length = store.offset;
    if (length === 0) {
      const message = 'The source has no bytes. Check the URL.';
      return this.#giveUp(upload, { code: 'empty_file', message, retryable: false });
    }
    store.save({ ...upload, length });
    await this.#pieces.take({ offset: length, size: 0, length, checksum: null }, null);
  }

  /** Begun, if it was not. Null when the source is not open to this run: it is whole, or another run has it. */
  #opened({ job_id, run, max_bytes }: FetchOrder): Open | null {
    const known = this.#load();
    if (known?.phase === 'open' && known.fetching?.run === run) return { ...known, fetching: known.fetching };
    if (known && (known.phase !== 'closed' || runOf(known) >= run)) return null;
    const fetching = {
      run,
      slice: known?.fetching?.slice ?? 0,
      from: 0,
      ended: false,
      busy_until: 0,
      failures: 0,
      etag: null,
      last_modified: null,
    };
    const owner = null;
    const rest = { length: null, max_bytes, content_type: '', metadata: null };
    return { ...this.#pieces.begin({ job_id, owner, ...rest, fetching }), fetching };
  }

  /** Null when the slice is not the last one, or no bytes are wanted any more. */
  #held(n: number): Open | null {
    const upload = this.#load();
    if (upload?.phase !== 'open' || upload.fetching?.slice !== n) return null;
    return { ...upload, fetching: upload.fetching };
  }

  #load(): ResumableUpload | null {
    const upload = this.#core.store.load();
    return upload?.via === 'pieces' ? upload : null;
  }
}

const runOf = ({ fetching }: ResumableUpload): number => fetching?.run ?? 0;
