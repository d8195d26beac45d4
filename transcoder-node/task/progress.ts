/**
 * How far the encoder is, from exact frame counts per rendition. Rates are smoothed so that the estimate of the time
 * left does not jump; `sample` is called at a steady pace and makes one `progress` entry.
 */
import type { ProgressDetails, RenditionProgress } from '../../src/contract/entries.ts';
import type { Plan, PlannedVideo } from '../../src/contract/job.ts';
import { stageProgress } from '../../src/contract/stages.ts';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import { perSecond } from '../media/rates.ts';

/** Share of the transcoding stage that the download and the probe own. */
const FETCH_SHARE = 0.05;
/** Weight of the newest sample. */
const SMOOTHING = 0.3;

interface Counter {
  readonly video: PlannedVideo;
  frames: number;
  sampled: number;
  fps: number | null;
}

export class EncodeProgress {
  readonly #plan: Plan;
  readonly #attempt: number;
  readonly #counters: Map<string, Counter>;
  #completed = 0;
  #sampledAt: number;

  constructor(plan: Plan, attempt: number, now: number) {
    this.#plan = plan;
    this.#attempt = attempt;
    this.#sampledAt = now;
    this.#counters = new Map(plan.video.map((video) => [video.name, { video, frames: 0, sampled: 0, fps: null }]));
  }

  frame(rendition: string, frames: number): void {
    const counter = this.#counters.get(rendition);
    if (counter) counter.frames = Math.max(counter.frames, frames);
  }

  renditionDone(rendition: string): void {
    if (this.#counters.has(rendition)) this.#completed += 1;
  }

  /** Seconds of picture that every rung has. */
  get encodedSeconds(): number {
    return Math.min(...[...this.#counters.values()].map(({ frames, video }) => frames / perSecond(video.fps)));
  }

  sample(now: number): TaskEntry {
    const elapsed = (now - this.#sampledAt) / 1000;
    this.#sampledAt = now;
    for (const counter of this.#counters.values()) {
      if (elapsed <= 0) continue;
      const fps = (counter.frames - counter.sampled) / elapsed;
      counter.sampled = counter.frames;
      if (fps > 0 || counter.fps !== null) counter.fps = (counter.fps ?? fps) * (1 - SMOOTHING) + fps * SMOOTHING;
    }
    const details = this.details();
    const shares = details.renditions.map(({ percent }) => percent / 100);
    const share = shares.reduce((sum, each) => sum + each, 0) / shares.length;
    return {
      type: 'progress',
      stage: 'transcoding',
      progress: stageProgress('transcoding', FETCH_SHARE + (1 - FETCH_SHARE) * share),
      message: `Transcoding: ${Math.floor(share * 100)} %`,
      details,
    };
  }

  details(): ProgressDetails {
    const renditions = [...this.#counters.values()].map((counter) => this.#rendition(counter));
    const speeds = renditions.map(({ speed }) => speed).filter((speed) => speed !== null);
    const slowest = Math.min(...speeds);
    const left = Math.max(0, this.#plan.duration - this.encodedSeconds);
    return {
      renditions,
      completed: this.#completed,
      total: this.#counters.size,
      eta_seconds: speeds.length > 0 && slowest > 0 ? rounded(left / slowest) : null,
      attempt: this.#attempt,
    };
  }

  #rendition({ video, frames, fps }: Counter): RenditionProgress {
    const rate = perSecond(video.fps);
    return {
      name: video.name,
      resolution: `${video.width}x${video.height}`,
      percent: rounded(Math.min(100, (100 * frames) / (rate * this.#plan.duration))),
      fps: fps === null ? null : rounded(fps),
      speed: fps === null ? null : Math.round((fps / rate) * 100) / 100,
    };
  }
}

/** While the source is on its way. */
export function fetchProgress(share: number, attempt: number): TaskEntry {
  return {
    type: 'progress',
    stage: 'transcoding',
    progress: stageProgress('transcoding', FETCH_SHARE * share),
    message: `Fetching the source: ${Math.floor(share * 100)} %`,
    details: { renditions: [], completed: 0, total: 0, eta_seconds: null, attempt },
  };
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
