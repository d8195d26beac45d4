/**
 * One rendition of a job: what readers have of it, where this task goes on, and all of it as a file on this machine,
 * playable mp4: the init and the segments one after the other.
 *
 * Pictures go on after the last segment that readers have. Sound costs little and its encoder looks back, so it is made
 * from its beginning, and what readers have of it is not stored again. All this needs equal init segments: where
 * earlier takes differ, or differ from what this encoder writes (another build), the rendition is made anew.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { segmentName, takePath } from '../../src/contract/ids.ts';
import type { Plan } from '../../src/contract/job.ts';
import type { Committed } from '../../src/contract/transcoder.ts';
import type { Lease } from '../edge/lease.ts';
import { segmentDuration } from '../media/mp4.ts';

export class Rendition {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  /** The file that it grows in. */
  readonly path: string;
  /** Readers have all of it. */
  whole: boolean;
  /** The edge knows that it is whole. */
  readonly known: boolean;
  readonly #lease: Lease;
  readonly #segmentSeconds: number;
  /** Who made the segments that were there before. */
  #runs: Committed['runs'];
  /** This task makes nothing of the first so many segments. */
  #left: number;
  #published: number;
  #init: string | null;
  #opened = false;
  /** The last segment that was made here, and where those are. */
  #made = 0;
  #seconds: number;
  #file: Promise<string> | null = null;

  constructor(lease: Lease, plan: Plan, folder: string, name: string) {
    this.name = name;
    this.kind = name === plan.audio?.name ? 'audio' : 'video';
    this.path = join(folder, `${name}.mp4`);
    this.#lease = lease;
    this.#segmentSeconds = plan.segment_seconds;
    const found = lease.grant.committed.find(({ rendition }) => rendition === name);
    const usable = found?.whole || found?.init_sha256 ? found : null;
    this.known = usable?.whole ?? false;
    this.whole = this.known || (this.kind === 'video' && (usable?.ended ?? false));
    this.#runs = usable?.runs ?? [];
    this.#init = usable?.init_sha256 ?? null;
    this.#published = this.#runs.at(-1)?.to ?? 0;
    this.#left = this.whole || this.kind === 'video' ? this.#published : 0;
    this.#seconds = this.#left * plan.segment_seconds;
  }

  /** How many of its segments, from 1 on, readers have. */
  get published(): number {
    return this.#published;
  }

  /** The digest of the init segment that new segments must go with; null: any will do. */
  get init(): string | null {
    return this.#init;
  }

  /** The init segment of this take is committed. */
  get opened(): boolean {
    return this.#opened;
  }

  /** The segment after which an encoder that begins now goes on. */
  get after(): number {
    return this.kind === 'audio' ? 0 : Math.max(this.#made, this.#left);
  }

  /** How long that is which an encoder here has come to, in seconds. */
  get seconds(): number {
    return this.#seconds;
  }

  /** An encoder begins, the first one or another one. */
  async begin(): Promise<void> {
    if (this.kind === 'audio') await this.#discard();
  }

  /** What others made cannot be gone on with. */
  async forget(): Promise<void> {
    this.#runs = [];
    this.#init = null;
    this.#published = 0;
    this.#left = 0;
    await this.#discard();
  }

  open(sha256: string): void {
    this.#opened = true;
    this.#init = sha256;
  }

  publish(n: number): void {
    this.#published = n;
  }

  /** Moves the bytes of segment `n` (0: the init) to the end of the file. */
  async append(n: number, segment: string | Uint8Array, seconds: number): Promise<void> {
    await appendFile(this.#own, typeof segment === 'string' ? await readFile(segment) : segment);
    if (typeof segment === 'string') await rm(segment);
    this.#made = n;
    this.#seconds += seconds;
  }

  /** All of it, from the first to the last frame; it must be whole. What was made elsewhere is fetched, once. */
  file(): Promise<string> {
    this.#file ??= this.#gather();
    return this.#file;
  }

  /** How long it is when nothing of it was made here: all segments but the last fill the grid. */
  async storedSeconds(): Promise<number> {
    const last = this.#runs.at(-1);
    if (!last) throw new Error(`nothing of ${this.name} is stored`);
    const bytes = await this.#output(last.take, last.to);
    return (last.to - 1) * this.#segmentSeconds + segmentDuration(Buffer.from(bytes));
  }

  async #gather(): Promise<string> {
    const [first] = this.#runs;
    if (!first || this.#left === 0) return this.path;
    await writeFile(this.path, await this.#output(first.take, 0));
    for (const { take, from, to } of this.#runs) {
      for (let n = from; n <= to; n += 1) await appendFile(this.path, await this.#output(take, n));
    }
    if (this.#made > 0) {
      await pipeline(createReadStream(this.#own), createWriteStream(this.path, { flags: 'a' }));
      await rm(this.#own);
    }
    return this.path;
  }

  get #own(): string {
    return this.#left === 0 ? this.path : `${this.path}.rest`;
  }

  async #discard(): Promise<void> {
    await rm(this.#own, { force: true });
    this.#made = 0;
    this.#seconds = 0;
  }

  #output(take: number, n: number): Promise<Uint8Array> {
    const { signal } = this.#lease;
    const path = takePath(this.name, take, segmentName(n));
    return this.#lease.call((edge, held) => edge.output(held, path, signal), signal);
  }
}
