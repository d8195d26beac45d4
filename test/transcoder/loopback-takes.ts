/**
 * What leases have committed of a job's renditions, and what readers have of that: for each segment the first one that
 * was committed, from 1 on without a gap. A lease goes on behind what it was told that readers have, or, if its init
 * segment is another one, begins at 1; anything else is a violation.
 */
import { ArtifactFile } from '../../src/contract/ids.ts';
import type { Commit, Plan, TakeSegment } from '../../src/contract/job.ts';
import type { Committed } from '../../src/contract/transcoder.ts';
import { runs } from '../../src/durable/job/grant.ts';

/** By one take, or by several with the same init segment: null. */
export interface Whole {
  readonly take: number | null;
  readonly segments: number;
}

export class LoopbackTakes {
  readonly whole = new Map<string, Whole>();
  #taken: TakeSegment[] = [];
  #granted: readonly Committed[] = [];
  readonly #violate: (what: string) => void;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  /** For a new lease. */
  grant(plan: Plan | null): Committed[] {
    const granted = [...new Set(this.#taken.map(({ rendition }) => rendition))].flatMap((rendition) => {
      const readable = this.#readable(rendition);
      const last = readable.at(-1);
      if (!plan || !last) return [];
      return {
        rendition,
        runs: runs(readable),
        init_sha256: this.#sharedInit(readable),
        ended: last.duration < plan.segment_seconds - 0.001,
        whole: this.whole.has(rendition),
      };
    });
    this.#granted = granted;
    return granted;
  }

  commit(take: number, commit: Commit): void {
    const { rendition, n } = commit;
    const own = this.#own(rendition, take);
    const [init, ...segments] = own;
    const granted = this.#granted.find((found) => found.rendition === rendition);
    const goesOn = init !== undefined && init.sha256 === granted?.init_sha256;
    const first = goesOn ? (granted?.runs.at(-1)?.to ?? 0) + 1 : 1;
    const due = own.length === 0 ? 0 : first + segments.length;
    if (n !== due) this.#violate(`${rendition} ${n} was committed where ${due} was due`);
    this.#taken.push({ ...commit, take });
  }

  say(take: number, { name, segments }: { name: string; segments: number }): void {
    if (this.whole.has(name)) this.#violate(`${name} was made again`);
    const own = this.#own(name, take);
    if (own.length === 1) this.#violate(`an init segment of ${name} that goes with nothing`);
    const published = this.published(name);
    const isOwn = own[1]?.n === 1;
    const count = isOwn ? own.length - 1 : published.length;
    if (count !== segments) this.#violate(`${name}: ${segments} said, ${count} committed`);
    if (!isOwn && this.#sharedInit(published) === null) this.#violate(`${name} has several init segments`);
    this.whole.set(name, { take: isOwn ? take : null, segments });
  }

  /** What readers have: for each rendition its (first) init segment, and its segments in order. */
  get commits(): TakeSegment[] {
    return [...new Set(this.#taken.map(({ rendition }) => rendition))].flatMap((rendition) => {
      const readable = this.#readable(rendition);
      const init = this.#taken.find(
        (one) => one.rendition === rendition && one.n === 0 && one.take === readable[0]?.take,
      );
      return init ? [init, ...readable] : [];
    });
  }

  published(rendition: string): TakeSegment[] {
    const found: TakeSegment[] = [];
    for (;;) {
      const next = this.#taken.find((one) => one.rendition === rendition && one.n === found.length + 1);
      if (!next) return found;
      found.push(next);
    }
  }

  /** As if whoever made a rendition had been cut off when readers had so many segments of it. */
  cut(rendition: string, segments: number): void {
    this.whole.delete(rendition);
    this.#taken = this.#taken.filter((one) => one.rendition !== rendition || (segments > 0 && one.n <= segments));
  }

  /** As if another build of the encoder had made what there is of a rendition. */
  rebuild(rendition: string): void {
    this.#taken = this.#taken.map((one) =>
      one.rendition === rendition && one.n === 0 ? { ...one, sha256: '0'.repeat(64) } : one,
    );
  }

  #readable(rendition: string): TakeSegment[] {
    const take = this.whole.get(rendition)?.take;
    return take ? this.#own(rendition, take).slice(1) : this.published(rendition);
  }

  #own(rendition: string, take: number): TakeSegment[] {
    return this.#taken.filter((one) => one.rendition === rendition && one.take === take);
  }

  #sharedInit(segments: readonly TakeSegment[]): string | null {
    const inits = segments.map(({ rendition, take }) => this.#own(rendition, take)[0]?.sha256);
    const [digest] = inits;
    return digest !== undefined && inits.every((other) => other === digest) ? digest : null;
  }
}

/** What a path below a job's outputs may be. */
export const isSegment = (path: string): boolean => /^(audio|\d+p)\/(init\.mp4|\d+\.m4s)$/.test(path);

export function isArtifact(path: string): boolean {
  const [folder, file, ...more] = path.split('/');
  return /^(poster|storyboard|mp4)$/.test(folder ?? '') && ArtifactFile.safeParse(file).success && more.length === 0;
}
