/** The renditions of a job: what is whole, what is to be made, and what the rungs among that have already. */
import type { Plan, PlannedVideo } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import type { MadeFrames } from '../media/starting.ts';
import { Rendition } from './rendition.ts';

export type Part = Pick<Plan, 'video' | 'audio'>;

export class Renditions {
  readonly #lease: Lease;
  readonly #plan: Plan;
  readonly #all: ReadonlyMap<string, Rendition>;

  constructor(lease: Lease, plan: Plan, folder: string) {
    this.#lease = lease;
    this.#plan = plan;
    const names = [...plan.video.map(({ name }) => name), ...(plan.audio ? [plan.audio.name] : [])];
    this.#all = new Map(names.map((name) => [name, new Rendition(lease, plan, folder, name)]));
  }

  get(name: string): Rendition {
    const rendition = this.#all.get(name);
    if (!rendition) throw new Error(`the plan has no rendition ${name}`);
    return rendition;
  }

  /** What is to be made: the plan without the renditions that are whole. */
  get missing(): Part {
    return this.missingOf(this.#plan);
  }

  missingOf({ video, audio }: Part): Part {
    return {
      video: video.filter(({ name }) => !this.get(name).whole),
      audio: audio && !this.get(audio.name).whole ? audio : null,
    };
  }

  get complete(): boolean {
    return [...this.#all.values()].every(({ whole }) => whole);
  }

  /** The frames that `rungs` have already; those that have none are not in it. */
  made(rungs: readonly PlannedVideo[]): MadeFrames {
    const frames = rungs.map(({ name, gop }) => [name, gop * this.get(name).after] as const);
    return new Map(frames.filter(([, count]) => count > 0));
  }

  /** Tells the edge of those that are whole without its knowing: whoever stored their last segment ended before saying so. */
  announce(): void {
    for (const { name, whole, known, published } of this.#all.values()) {
      if (whole && !known) this.#lease.say({ type: 'rendition', name, segments: published });
    }
  }

  /** How long the video is when nothing of it was made here. */
  async storedSeconds(): Promise<number> {
    const stored = this.#plan.video.map(({ name }) => this.get(name)).find(({ whole }) => whole);
    if (!stored) throw new Error('no rung is whole');
    return stored.storedSeconds();
  }
}
