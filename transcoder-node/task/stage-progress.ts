/** Progress of a stage of which only one share (0-1) is known: validation and packaging. */
import type { RenditionProgress } from '../../src/contract/entries.ts';
import type { Plan } from '../../src/contract/job.ts';
import { stageProgress } from '../../src/contract/stages.ts';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import type { Lease } from '../edge/lease.ts';

const STAGES = {
  validation: { begin: 'Measuring quality', word: 'Validating' },
  packaging: { begin: 'Making poster and storyboard', word: 'Packaging' },
} as const;

export class StageProgress {
  readonly #lease: Lease;
  readonly #stage: keyof typeof STAGES;
  readonly #plan: Plan;
  /** Rungs that are under way; the others are done. */
  readonly #active: ReadonlySet<string>;
  readonly #beganAt = performance.now();

  /** Announces the stage. */
  constructor(lease: Lease, stage: keyof typeof STAGES, plan: Plan, active: readonly string[]) {
    this.#lease = lease;
    this.#stage = stage;
    this.#plan = plan;
    this.#active = new Set(active);
    lease.say({ type: 'stage', stage, message: STAGES[stage].begin });
    this.share(0);
  }

  share(share: number): void {
    const elapsed = (performance.now() - this.#beganAt) / 1000;
    const eta = share > 0 ? Math.round((10 * elapsed * (1 - share)) / share) / 10 : null;
    const percent = Math.round(1000 * share) / 10;
    const renditions = this.#plan.video.map(({ name, width, height }): RenditionProgress => {
      const own = this.#active.has(name) ? percent : 100;
      return { name, resolution: `${width}x${height}`, percent: own, fps: null, speed: null };
    });
    this.#lease.say({
      type: 'progress',
      stage: this.#stage,
      progress: stageProgress(this.#stage, share),
      message: `${STAGES[this.#stage].word}: ${Math.floor(share * 100)} %`,
      details: {
        renditions,
        completed: renditions.filter((rendition) => rendition.percent === 100).length,
        total: renditions.length,
        eta_seconds: eta,
        attempt: this.#lease.grant.attempt,
      } satisfies Extract<TaskEntry, { type: 'progress' }>['details'],
    });
  }
}
