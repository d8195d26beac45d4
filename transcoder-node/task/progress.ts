/**
 * How far the encoders are, from exact frame counts per rendition, over both pairs; what earlier attempts left counts
 * as done, but not as done just now. `sample` is called at a steady pace
 * and makes one `progress` entry. Rates are smoothed so that the estimate does not jump.
 *
 * The time left is estimated from work, not from the slowest rung's pace: the rungs behind crawl while the first pair
 * has the processor, and run when it is through, but what the machine gets done in a second stays about the same. A
 * frame's work is its pixels; the lowest rung's frames also carry their pair's own decode of the source.
 */
import type { ProgressDetails, RenditionProgress } from '../../src/contract/entries.ts';
import type { Plan, PlannedVideo } from '../../src/contract/job.ts';
import { stageProgress } from '../../src/contract/stages.ts';
import type { TaskEntry } from '../../src/contract/transcoder.ts';
import { perSecond } from '../media/rates.ts';
import { framesMade, type MadeFrames } from '../media/starting.ts';

/** Share of the transcoding stage that the download and the probe own. */
const FETCH_SHARE = 0.05;
/** Weight of the newest sample: in a rung's rate, and in the pace that the time left is reckoned with. */
const RATE_WEIGHT = 0.3;
const PACE_WEIGHT = 0.12;
/** What decoding and scaling cost, in pixels of the top rung. */
const DECODE_WORK = 0.4;

interface Counter {
  readonly video: PlannedVideo;
  /** How many there will be, as far as the file tells the truth. */
  readonly expected: number;
  readonly workPerFrame: number;
  frames: number;
  sampled: number;
  fps: number | null;
  done: boolean;
}

export class EncodeProgress {
  readonly #attempt: number;
  readonly #counters: Map<string, Counter>;
  #sampledAt: number;
  /** Work done per second. */
  #pace: number | null = null;

  /** `missing`: the rungs that this attempt makes; the plan's others are done. `made`: frames that those have already. */
  constructor(plan: Plan, missing: readonly PlannedVideo[], made: MadeFrames, attempt: number, now: number) {
    this.#attempt = attempt;
    this.#sampledAt = now;
    const decode = DECODE_WORK * Math.max(...plan.video.map(pixels));
    this.#counters = new Map(
      plan.video.map((video, index) => {
        const expected = Math.max(1, Math.round(perSecond(video.fps) * plan.duration));
        const workPerFrame = pixels(video) + (index < 2 ? decode : 0);
        const frames = framesMade(video, { made });
        const counter = {
          video,
          expected,
          workPerFrame,
          frames,
          sampled: frames,
          fps: null,
          done: !missing.includes(video),
        };
        return [video.name, counter];
      }),
    );
  }

  frame(rendition: string, frames: number): void {
    const counter = this.#counters.get(rendition);
    if (counter) counter.frames = Math.max(counter.frames, frames);
  }

  renditionDone(rendition: string): void {
    const counter = this.#counters.get(rendition);
    if (counter) counter.done = true;
  }

  sample(now: number): TaskEntry {
    const elapsed = (now - this.#sampledAt) / 1000;
    if (elapsed > 0) this.#advance(elapsed);
    this.#sampledAt = now;
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
    const counters = [...this.#counters.values()];
    const left = counters.reduce((sum, counter) => sum + framesLeft(counter) * counter.workPerFrame, 0);
    return {
      renditions: counters.map(rendition),
      completed: counters.filter(({ done }) => done).length,
      total: counters.length,
      eta_seconds: this.#pace ? rounded(left / this.#pace) : null,
      attempt: this.#attempt,
    };
  }

  #advance(elapsed: number): void {
    let work = 0;
    for (const counter of this.#counters.values()) {
      const fresh = counter.frames - counter.sampled;
      counter.sampled = counter.frames;
      work += fresh * counter.workPerFrame;
      if (!counter.done) counter.fps = smoothed(counter.fps, fresh / elapsed, RATE_WEIGHT);
    }
    this.#pace = smoothed(this.#pace, work / elapsed, PACE_WEIGHT);
  }
}

const pixels = ({ width, height }: PlannedVideo): number => width * height;

const framesLeft = ({ done, expected, frames }: Counter): number => (done ? 0 : Math.max(0, expected - frames));

/** What has not begun has no rate. */
const smoothed = (before: number | null, now: number, weight: number): number | null =>
  before === null ? now || null : before * (1 - weight) + now * weight;

function rendition({ video, frames, expected, fps, done }: Counter): RenditionProgress {
  return {
    name: video.name,
    resolution: `${video.width}x${video.height}`,
    percent: done ? 100 : rounded(Math.min(100, (100 * frames) / expected)),
    fps: fps === null ? null : rounded(fps),
    speed: fps === null ? null : Math.round((fps / perSecond(video.fps)) * 100) / 100,
  };
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
