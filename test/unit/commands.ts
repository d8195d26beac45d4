/** Commands as tests send them to the machine, and a fold that keeps log and state together. */
import type { Entry } from '../../src/contract/entries.ts';
import type { Commit, Plan } from '../../src/contract/job.ts';
import { type Command, decide, type TimelessCommand } from '../../src/durable/job/machine.ts';
import { apply, type JobState } from '../../src/durable/job/state.ts';

const JOB_ID = '11111111-2222-4333-8444-555555555555';

const rung = (name: string, width: number, height: number, maxrate: number) => ({
  name,
  width,
  height,
  fps: { num: 30, den: 1 },
  gop: 120,
  crf: 23,
  maxrate,
  bufsize: 2 * maxrate,
  codecs: 'avc1.64001f',
});

export const PLAN: Plan = {
  duration: 12,
  segment_seconds: 4,
  filters: 'fps=30/1:start_time=0',
  video: [rung('360p', 640, 360, 800_000), rung('720p', 1280, 720, 2_800_000)],
  audio: { name: 'audio', bandwidth: 128_000, sample_rate: 48_000, channels: 2, codecs: 'mp4a.40.2' },
};

export const CREATE = {
  type: 'create',
  job_id: JOB_ID,
  key: 'clip.mp4',
  bucket: 'reelwire-output',
  source: { size_bytes: 1000, content_type: 'video/mp4' },
  options: { quality: 'standard', ladder: null, mp4: false, retention_days: null, priority: 'normal' },
  metadata: {},
  by: 'the API',
} as const;

/** A job whose source comes later, and the source. */
export const AWAIT = { ...CREATE, source: null } as const;
export const FETCH = { ...AWAIT, url: 'https://example.com/clip.mp4?signature=x' } as const;
export const RECEIVED = { type: 'received', ...CREATE.source } as const;

/** `content` makes the bytes of one take differ from those of another. */
export function commit(rendition: string, n: number, content = 'a'): Commit {
  return {
    rendition,
    n,
    duration: n === 0 ? 0 : 4,
    bytes: 1000 + n,
    sha256: content.repeat(64).slice(0, 64),
    keyframe: n === 0 || rendition === 'audio' ? null : { offset: 100, length: 400 },
  };
}

/** All segments of the plan's renditions, from `from` to `to`; 0 is the init segment. */
export function commits(from: number, to: number, content = 'a'): Commit[] {
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return ['audio', '360p', '720p'].flatMap((rendition) => numbers.map((n) => commit(rendition, n, content)));
}

/** A job as its object would keep it: the log, and the state folded beside it. */
export class JobModel {
  readonly log: Entry[] = [];
  state: JobState | null = null;
  now = 1_700_000_000_000;

  /** Decides and appends; returns what was appended, or throws what the machine threw. */
  run(command: TimelessCommand): Entry[] {
    const entries = decide(this.state, { ...command, at: this.now } as Command);
    for (const entry of entries) this.state = apply(this.state, entry);
    this.log.push(...entries);
    return entries;
  }

  get job(): JobState {
    if (!this.state) throw new Error('The job has not been created');
    return this.state;
  }

  lease(request_id: string): number {
    this.run({ type: 'lease', task: 'main', transcoder: 'box', request_id });
    return this.job.lease?.n ?? 0;
  }

  /** Takes a lease and reports all of `PLAN`, up to where `finish` would be called. */
  work(request_id: string, content = 'a'): number {
    const lease = this.lease(request_id);
    this.run({
      type: 'report',
      lease,
      entries: [
        { type: 'plan', plan: PLAN },
        { type: 'stage', stage: 'transcoding', message: 'Transcoding' },
        ...['audio', '360p', '720p'].map((name) => ({ type: 'rendition' as const, name, segments: 3 })),
      ],
      commits: commits(0, 3, content),
    });
    return lease;
  }
}

export const types = (entries: readonly Entry[]): string[] => entries.map(({ type }) => type);

/** A job that waits for a transcoder. */
export function created(): JobModel {
  const model = new JobModel();
  model.run(CREATE);
  return model;
}

/** A job whose source is still to come. */
export function awaiting(): JobModel {
  const model = new JobModel();
  model.run(AWAIT);
  return model;
}
