/**
 * One upload object per source, under the id of its job: a body that becomes a job when it is whole (body.ts), or a
 * file in pieces for a job that is already there (pieces.ts), sent to us or fetched from a URL (fetched.ts). Where the bytes are and how far they came is stored
 * (store.ts); the end is a stored phase (ending.ts), which the alarm repeats until it is done.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import { Refusal } from '../job/draft.ts';
import type { Outcome } from '../outcome.ts';
import { backoffMs } from '../timing.ts';
import { Body } from './body.ts';
import { UploadCore } from './core.ts';
import { Ending } from './ending.ts';
import { Fetched } from './fetched.ts';
import { Pieces } from './pieces.ts';
import { uploadBusy } from './refusals.ts';
import type {
  Caller,
  Description,
  FetchOrder,
  NewUpload,
  Piece,
  Position,
  Slice,
  SliceEnd,
  SourceFound,
} from './stored.ts';

export class Upload extends DurableObject<Env> {
  readonly #core: UploadCore;
  readonly #body: Body;
  readonly #pieces: Pieces;
  readonly #fetched: Fetched;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#core = new UploadCore(ctx.storage, env);
    const ending = new Ending(this.#core);
    this.#body = new Body(this.#core, ending);
    this.#pieces = new Pieces(this.#core, ending);
    this.#fetched = new Fetched(this.#core, this.#pieces);
  }

  /** Opens the multipart upload of a body and returns its id. */
  async begin(job_id: string): Promise<string> {
    return this.#body.begin(job_id);
  }

  /** A part of `size` bytes is in R2. Returns false when the upload has been given up meanwhile. */
  async addPart(part: R2UploadedPart, size: number): Promise<boolean> {
    return this.#body.addPart(part, size);
  }

  /** Bytes are coming, though no part is whole yet: puts the silence off. */
  async touch(): Promise<void> {
    this.#body.touch();
  }

  /**
   * The body is whole. After the answer the job exists; false when the upload has been given up meanwhile. May be
   * repeated.
   */
  async complete(job_id: string, description: Description): Promise<boolean> {
    return this.#body.complete(job_id, description);
  }

  /** The body is not to be had: removes every trace. Once the body is whole it is too late, and nothing happens. */
  async abort(): Promise<void> {
    await this.#body.abort();
  }

  /** Begins to wait for the pieces of a job's source. May be repeated. */
  async open(upload: NewUpload): Promise<Position> {
    return this.#pieces.open(upload);
  }

  /** How far a file in pieces is. */
  async head(caller: Caller): Promise<Outcome<Position>> {
    return this.#answer(() => this.#pieces.head(caller));
  }

  /** Takes a piece; its bytes count as far as they come, with a checksum only when all of them came and are right. */
  async append(caller: Caller, piece: Piece, body: ReadableStream<Uint8Array> | null): Promise<Outcome<Position>> {
    return this.#answer(() => this.#pieces.append(caller, piece, body));
  }

  /** The next slice of a source that is fetched; null when there is none to fetch now. */
  async claim(order: FetchOrder): Promise<Outcome<Slice | null>> {
    return this.#answer(() => this.#fetched.claim(order));
  }

  /** Takes the bytes of a slice; they count as far as they come. */
  async bring(n: number, found: SourceFound, body: ReadableStream<Uint8Array>): Promise<Outcome<Position>> {
    return this.#answer(() => this.#fetched.bring(n, found, body));
  }

  /** Tells how a slice ended, and with it what comes next. */
  async settle(n: number, end: SliceEnd): Promise<Outcome<void>> {
    return this.#answer(() => this.#fetched.settle(n, end));
  }

  /**
   * This run of the job ended without its source: nothing is wanted any more. May be repeated, and come before `open`.
   */
  async close(job_id: string, run: number): Promise<void> {
    await this.#pieces.close(job_id, run);
  }

  override async alarm(): Promise<void> {
    const upload = this.#core.store.load();
    if (!upload) return;
    try {
      await (upload.via === 'body' ? this.#body.alarm(upload) : this.#pieces.alarm(upload));
    } catch (error) {
      this.#core.log('upload alarm failed', error);
      const now = this.#core.store.load() ?? upload;
      this.#core.save({ ...now, tries: upload.tries + 1 }, 1000 + backoffMs(upload.tries));
    }
  }

  async #answer<T>(act: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return { ok: true, value: await act() };
    } catch (error) {
      const refusal = error instanceof Refusal ? error : uploadBusy();
      if (refusal !== error) this.#core.log('bytes of an upload could not be stored', error);
      return { ok: false, code: refusal.code, detail: refusal.message };
    }
  }
}
