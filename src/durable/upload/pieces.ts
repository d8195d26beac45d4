/**
 * A file that comes in pieces, over as many requests as it takes. It belongs to a job that is already there: the job
 * decides how long bytes are wanted. It tells this object when they are not, and is asked at the beginning of every
 * request and once a second while bytes come, so that no bytes are taken for a job that has ended.
 *
 * Requests take over from each other: the last one has the upload, and what the one before it has in hand is stored in
 * the turn in which it loses it. So nobody waits for a request that hangs.
 */
import { within } from '../timing.ts';
import { Append } from './append.ts';
import type { UploadCore } from './core.ts';
import { type Ending, REPAIR_MS } from './ending.ts';
import { emptyFile, otherLength, otherOffset, tooLong, uploadBusy, uploadGone, uploadNotFound } from './refusals.ts';
import type { Caller, NewUpload, Piece, Position, ResumableUpload } from './stored.ts';

/** How often an open upload asks whether it is still wanted, should nobody have told it. */
const ASK_MS = 3_600_000;

/** How long the job may take to answer whether bytes are wanted, and R2 to take the part of an earlier request. */
const JOB_MS = 1000;
const QUIET_MS = 1500;

/** How long the sender of the last piece waits for the end. */
const END_MS = 10_000;

/** An upload that was closed before it was opened. */
const UNKNOWN = {
  ...{ upload_id: null, owner: null, length: null, max_bytes: 0 },
  ...{ content_type: '', metadata: null, fetching: null, expires_at: 0 },
};

export class Pieces {
  readonly #core: UploadCore;
  readonly #ending: Ending;
  /** The last request that brought bytes. */
  #append: Append | null = null;
  #isTelling = false;

  constructor(core: UploadCore, ending: Ending) {
    this.#core = core;
    this.#ending = ending;
  }

  open(upload: NewUpload): Position {
    return this.#position(this.#load() ?? this.begin(upload));
  }

  begin(upload: NewUpload): ResumableUpload {
    const expires_at = Date.now() + this.#core.settings.UPLOAD_EXPIRY_MS;
    const rest = { via: 'pieces', phase: 'open', upload_id: null, tries: 0, expires_at } as const;
    const begun = { fetching: null, ...upload, ...rest };
    this.#core.save(begun, ASK_MS);
    return begun;
  }

  /** Whether a request brings bytes at the moment. */
  get isTaking(): boolean {
    return this.#append !== null && !this.#append.isOver;
  }

  /**
   * Whoever asks will go on from there: a request that still brings bytes is stopped. It may have brought the last of
   * them, or died before it could say so: then nobody will bring more, and the end begins.
   */
  async head(caller: Caller): Promise<Position> {
    this.#refuseOthers(caller);
    this.#append?.yield();
    const upload = await this.#wanted();
    void this.#endIfWhole();
    return this.#position(this.#load() ?? upload);
  }

  async append(caller: Caller, piece: Piece, body: ReadableStream<Uint8Array> | null): Promise<Position> {
    this.#refuseOthers(caller);
    return this.take(piece, body);
  }

  async take(piece: Piece, body: ReadableStream<Uint8Array> | null): Promise<Position> {
    const { store, multipart } = this.#core;
    this.#append?.yield();
    const append = new Append(store, multipart, piece, () => this.#tell());
    this.#append = append;
    try {
      const known = await this.#wanted();
      append.check();
      const upload = this.#measured(known, piece);
      if (upload.phase === 'open') {
        if (!(await multipart.isQuiet(QUIET_MS))) throw uploadBusy();
        await append.run(body, upload.length ?? upload.max_bytes);
        await this.#endIfWhole();
      }
      return this.#position(this.#load() ?? upload);
    } finally {
      // Refused before its first byte, it is over all the same.
      append.yield();
    }
  }

  /** `run`: the run of the job that has ended; another may have begun. */
  async close(job_id: string, run: number): Promise<void> {
    const upload = this.#load();
    if (upload?.phase === 'done' || (upload?.fetching?.run ?? 0) > run) return;
    this.#append?.drop(uploadGone());
    const known = upload ?? { ...UNKNOWN, job_id };
    await this.#ending.discard({ ...known, via: 'pieces', phase: 'closed', tries: 0 });
  }

  async alarm(upload: ResumableUpload): Promise<void> {
    const { phase } = upload;
    if (phase === 'whole') await this.#ending.run();
    else if (phase === 'open') await this.#askAgain();
    else {
      if (phase === 'closed') await this.#core.multipart.abort();
      await this.#core.forget();
    }
  }

  async #askAgain(): Promise<void> {
    const upload = this.#load();
    if (!upload) return;
    if (!(await this.#isWanted(upload))) return this.#close(upload);
    await this.#endIfWhole();
    const now = this.#load();
    if (now?.phase === 'open') this.#core.save(now, ASK_MS);
  }

  /** As far as is known about this upload, for its job. */
  #close(upload: ResumableUpload): Promise<void> {
    return this.close(upload.job_id, upload.fetching?.run ?? 0);
  }

  /** To others it is as one that nobody knows; one that is fetched, to everybody. */
  #refuseOthers(caller: Caller): void {
    const upload = this.#load();
    if (upload?.fetching || (caller !== null && upload?.owner !== caller)) throw uploadNotFound();
  }

  /** The upload, when it is known and its bytes are wanted. */
  async #wanted(): Promise<ResumableUpload> {
    const upload = this.#load();
    if (!upload) throw uploadNotFound();
    if (upload.phase === 'closed') throw uploadGone();
    if (!(await this.#unlessAway(upload))) {
      await this.#close(upload);
      throw uploadGone();
    }
    const now = this.#load();
    if (!now || now.phase === 'closed') throw uploadGone();
    return now;
  }

  /** A job that does not answer is no reason to refuse its bytes. */
  async #unlessAway(upload: ResumableUpload): Promise<boolean> {
    try {
      return await within(JOB_MS, this.#isWanted(upload));
    } catch (error) {
      this.#core.log('the job of an upload is away', error);
      return true;
    }
  }

  /** Tells the job how far the upload is, and whether it exists and waits for more, the job answers. */
  async #isWanted({ job_id, phase, length }: ResumableUpload): Promise<boolean> {
    const job = this.#core.env.JOB.getByName(job_id);
    if (phase === 'done') return (await job.view()) !== null;
    return (await job.receive(this.#core.store.offset, length)).ok;
  }

  /** The upload with the length that the piece tells, if the piece fits in. */
  #measured(upload: ResumableUpload, { offset, size, length }: Piece): ResumableUpload {
    const here = this.#position(upload).offset;
    if (offset !== here) throw otherOffset(here);
    const most = upload.max_bytes;
    if (length !== null && length !== upload.length) {
      if (upload.length !== null || length < offset) throw otherLength();
      if (length === 0) throw emptyFile();
      if (length > most) throw tooLong(most);
    }
    const whole = upload.length ?? length;
    if (size !== null && offset + size > (whole ?? most)) throw tooLong(whole ?? most);
    if (whole === upload.length) return upload;
    const measured = { ...upload, length: whole };
    this.#core.store.save(measured);
    return measured;
  }

  /** The answer does not wait for an end that takes long: the bytes are stored, and the alarm sees to the rest. */
  async #endIfWhole(): Promise<void> {
    const upload = this.#load();
    if (upload?.phase !== 'open' || upload.length === null || this.#core.store.offset !== upload.length) return;
    this.#core.save({ ...upload, phase: 'whole' }, REPAIR_MS);
    try {
      await within(END_MS, this.#ending.run());
    } catch (error) {
      this.#core.log('the end of an upload is left to the alarm', error);
    }
  }

  /** One call at a time; it never rejects, because who asks is not there to hear it. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    void this.#wanted()
      .catch(() => {})
      .finally(() => {
        this.#isTelling = false;
      });
  }

  #position({ phase, length, metadata, expires_at }: ResumableUpload): Position {
    const isDone = phase === 'done';
    const offset = isDone ? (length ?? 0) : this.#core.store.offset;
    return { offset, length, metadata, expires_at: isDone || phase === 'whole' ? null : expires_at };
  }

  #load(): ResumableUpload | null {
    const upload = this.#core.store.load();
    return upload?.via === 'pieces' ? upload : null;
  }
}
